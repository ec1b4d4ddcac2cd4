"""The services of this checkout and what each is told through its environment."""

import os
import subprocess
from collections.abc import Mapping

from cli.place import PYTHON, ROOT, Place
from cli.stack.held import refuse_while_held
from cli.stack.kafka_rules import PREFIX
from cli.stack.part import Part
from cli.stack.ports import HOST
from cli.stack.processes import MARK


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
        **({"LIFANG_WEBHOOKS_PRIVATE": "1"} if name == "gateway" else {}),
        "PYTHONUNBUFFERED": "1",
    }


def migrate(name: str, place: Place, told: Mapping[str, str]) -> None:
    """By a process of its own, with that environment. Raises RuntimeError with what it said last."""
    done = subprocess.run(
        [str(PYTHON), "-m", "cli.migrate", name], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", env=os.environ | told | {MARK: str(place.state), "LIFANG_PART": f"{name}-migrate"})
    if done.returncode:
        raise RuntimeError(f"{name} could not be migrated: {done.stdout.strip()[-500:]}")


def part(name: str, place: Place, ports: Mapping[str, int]) -> Part:
    """The first of its processes is migrated for; those that come after it find that done."""
    told = environment(name, place, ports)

    def before() -> None:
        refuse_while_held(place, name)
        if not place.migrated(name).exists():
            migrate(name, place, told)
            place.migrated(name).touch()

    return Part(name, [str(PYTHON), "-m", f"services.{name}", "all"], told, before=before)
