"""English: that somebody was erased, and by whom that was confirmed. Pure."""

from typing import Any

from libs.contracts.fields import Confirmed
from libs.contracts.identity import ResidentErased
from services.gateway.words.names import short

REASONS = {
    "own_wish": "as they wished", "on_request": "by staff whom they had asked", "retention": "because their time was over",
    "restored": "as they had been before this was set back"}


def sentence(event: Any) -> str:
    """Empty for anything else."""
    match event:
        case ResidentErased():
            return f"Everything personal of person {short(event.resident_id)} was erased, {REASONS[event.reason]}."
        case Confirmed():
            service = str(type(event).__struct_config__.tag).partition(".")[0]
            return f"{service.capitalize()} confirmed that nothing of person {short(event.resident_id)} can be read there any more."
        case _:
            return ""
