"""The services of this checkout and what each is told through its environment."""

from collections.abc import Mapping

from cli.place import PYTHON, ROOT, Place
from cli.stack.held import refuse_while_held
from cli.stack.kafka_rules import PREFIX
from cli.stack.part import Part
from cli.stack.ports import HOST


def names() -> list[str]:
    """Every service that can be started, the gateway last."""
    found = (main.parent.name for main in ROOT.glob("services/*/__main__.py"))
    return sorted(found, key=lambda name: (name == "gateway", name))


def url(name: str, ports: Mapping[str, int]) -> str:
    return f"http://{HOST}:{ports[name]}"


def database(name: str, ports: Mapping[str, int]) -> str:
    """The owner's address."""
    return f"postgresql://{name}_owner@{HOST}:{ports['postgres']}/{name}"


def environment(name: str, place: Place, ports: Mapping[str, int]) -> dict[str, str]:
    return {
        f"DATABASE_URL_{name.upper()}": database(name, ports),
        "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{ports['kafka']}",
        "LIFANG_KAFKA_USER": name,
        "LIFANG_TOPIC_PREFIX": PREFIX,
        "LIFANG_HOST": HOST,
        "LIFANG_PORT": str(ports[name]),
        "LIFANG_SECRETS": str(place.secrets),
        **{f"LIFANG_URL_{other.upper()}": url(other, ports) for other in names() if other in ports},
        "LIFANG_DEMO": "1",
        **({"LIFANG_DC09_LISTEN": f"{HOST}:{ports['dc09']}"} if name == "devices" and "dc09" in ports else {}),
        "PYTHONUNBUFFERED": "1",
        # compiled once and kept, whatever the caller's shell says: a third of a warm start
        "PYTHONDONTWRITEBYTECODE": "",
    }


def part(name: str, place: Place, ports: Mapping[str, int]) -> Part:
    return Part(name, [str(PYTHON), "-m", f"services.{name}", "all"],
                environment(name, place, ports) | {"LIFANG_MIGRATE": "1"}, before=lambda: refuse_while_held(place, name))
