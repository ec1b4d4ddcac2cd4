"""The keeper of a stack's logs: one process beside the services, under a user of its own."""

from collections.abc import Iterable, Mapping

from cli.place import PYTHON, Place
from cli.stack import services
from cli.stack.held import refuse_while_held
from cli.stack.kafka_rules import KEEPER
from cli.stack.part import Part

MODULE = "cli.keeper"


def environment(names: Iterable[str], place: Place, ports: Mapping[str, int]) -> dict[str, str]:
    """The databases of these services, and the two places outside them."""
    found: dict[str, str] = {}
    for name in names:
        found |= services.environment(name, place, ports)
    return found | {"LIFANG_KAFKA_USER": KEEPER} | outside(place)


def outside(place: Place) -> dict[str, str]:
    return {"LIFANG_SEALS": str(place.seals), "LIFANG_SEALS_USER": KEEPER}


def part(names: Iterable[str], place: Place, ports: Mapping[str, int]) -> Part:
    return Part(KEEPER, [str(PYTHON), "-m", MODULE], environment(names, place, ports),
                before=lambda: refuse_while_held(place, KEEPER))
