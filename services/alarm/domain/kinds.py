"""What an incident can be, how bad that is, and where it is."""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from msgspec import Struct

IncidentKind = Literal[
    "fire", "gas", "water", "medical", "panic", "sos", "duress", "burglary", "tamper", "supervisory", "trouble", "line", "other"]
Severity = Literal["critical", "high", "low"]

SEVERITY: Mapping[IncidentKind, Severity] = {
    "fire": "critical", "gas": "critical", "medical": "critical", "panic": "critical", "sos": "critical", "duress": "critical",
    "water": "high", "burglary": "high", "tamper": "high", "supervisory": "high", "line": "high", "other": "high",
    "trouble": "low"}
"""Of a kind of which nothing more is known: critical is a danger to people, high one to property or to what watches over it."""
SILENT: frozenset[IncidentKind] = frozenset({"duress"})


class Place(Struct, frozen=True):
    """Where it is, as far as anybody said. `name`: of the spot, as staff call it."""

    building_id: UUID | None = None
    unit: int | None = None
    floor: int | None = None
    home_id: UUID | None = None
    name: str = ""
