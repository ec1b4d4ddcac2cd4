"""Who publishes what: one topic a service, `<prefix>.<service>.v1`, keyed by community; keys on a topic of their own."""
from collections.abc import Mapping
from types import ModuleType
from msgspec import Struct
from libs.contracts import access, alarm, devices, identity, neighbors, parking

def events_of(module: ModuleType) -> tuple[type[Struct], ...]:
    """The public events that a module defines: each of its tagged structs."""
    found = (t for t in vars(module).values() if isinstance(t, type) and issubclass(t, Struct))
    return tuple(t for t in found if isinstance(t.__struct_config__.tag, str))

PUBLISHES: Mapping[str, tuple[type[Struct], ...]] = {
    "identity": events_of(identity), "access": events_of(access), "devices": events_of(devices),
    "parking": events_of(parking), "alarm": events_of(alarm), "neighbors": events_of(neighbors)}
"""Every public event that services hear of each other, by the service that may say it."""

def heard_from(*services: str) -> tuple[type[Struct], ...]:
    """The contracts of these services' topics."""
    return tuple(event for service in services for event in PUBLISHES[service])
