"""Who publishes what, all told: what services hear of each other, and what the gateway tells others outside."""

from collections.abc import Mapping

from msgspec import Struct

from libs.contracts import topics
from services.gateway import contracts as government

PUBLISHES: Mapping[str, tuple[type[Struct], ...]] = {**topics.PUBLISHES, "gateway": topics.events_of(government)}
