"""Who publishes what: one topic a service, `<prefix>.<service>.v1`, keyed by community; keys on a topic of their own."""

from collections.abc import Mapping

from msgspec import Struct

from libs.contracts import access, devices, identity

PUBLISHES: Mapping[str, tuple[type[Struct], ...]] = {
    "identity": identity.EVENTS,
    "access": access.EVENTS,
    "devices": devices.EVENTS,
}
"""Every public event by the service that may say it."""


def heard_from(*services: str) -> tuple[type[Struct], ...]:
    """The contracts of these services' topics."""
    return tuple(event for service in services for event in PUBLISHES[service])
