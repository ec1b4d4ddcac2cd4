"""Who publishes what (each tagged struct of a service's module) and where: one topic a service, `<prefix>.<service>.v1`, keyed by
community; keys on a topic of their own; what the gateway tells authorities on `gov.incidents.v1`. And whose topics each may read."""
from collections.abc import Mapping
from types import ModuleType
from msgspec import Struct
from libs.contracts import access, alarm, devices, government, identity, neighbors, parking

def _events(module: ModuleType) -> tuple[type[Struct], ...]:
    return tuple(t for t in vars(module).values() if isinstance(t, type) and issubclass(t, Struct) and t.__struct_config__.tag)
PUBLISHES: Mapping[str, tuple[type[Struct], ...]] = {"identity": _events(identity), "access": _events(access), "devices": _events(devices),
    "parking": _events(parking), "alarm": _events(alarm), "neighbors": _events(neighbors), "gateway": _events(government)}
HEARS: Mapping[str, tuple[str, ...]] = {"identity": (), "access": ("identity", "devices", "parking", "alarm"),
    "devices": ("identity", "access", "parking"), "parking": ("identity", "access", "devices"), "alarm": ("identity", "access", "devices"),
    "neighbors": ("identity", "alarm"), "gateway": ("identity", "access", "devices", "parking", "alarm", "neighbors")}
TOPICS: Mapping[str, str] = {service: "gov.incidents" if service == "gateway" else service for service in PUBLISHES}
def heard_from(*services: str) -> tuple[type[Struct], ...]:
    """The contracts of these services' topics."""
    return tuple(event for service in services for event in PUBLISHES[service])
