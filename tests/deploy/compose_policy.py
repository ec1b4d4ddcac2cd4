"""What has to hold of every container of a compose file. `findings` names what does not: (check, container)."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from cli.providing.holders import KEEPER, SERVICES
from tests.deploy.compose_file import Compose

Container = dict[str, Any]
BY_HAND = "operate"
ONCE = frozenset({"secrets", "databases", "topics", BY_HAND, *(f"migrate-{service}" for service in SERVICES)})
PUBLISHED = frozenset({"gateway", "devices"})
OF_OVERLAYS = frozenset({"demo", "grafana"})
"""Published on loopback whatever the environment says."""
ASKED_BY_OTHERS = frozenset({"collector"})
"""Nothing in its image could ask it."""
SECRETS = "/run/secrets/lifang"
PROVISIONED = frozenset({"databases", "topics", *(f"migrate-{service}" for service in SERVICES)})
HOLDS = {"demo": "desk", BY_HAND: "vault", **dict.fromkeys(PROVISIONED, "provision")}
"""Of whose secrets a container is given a copy, where that is not its own name."""
TELLING = re.compile(r"pass(word|wd|phrase)?|secret|token|credential|private|api_?key", re.I)
IN_URL = re.compile(r"://[^/\s:@]+:[^/\s@]+@")
NEEDS: dict[str, dict[str, str]] = {
    "postgres": {"secrets": "service_completed_successfully"}, "kafka": {"secrets": "service_completed_successfully"},
    "databases": {"postgres": "service_healthy"}, "topics": {"kafka": "service_healthy"},
    **{f"migrate-{service}": {"databases": "service_completed_successfully"} for service in SERVICES},
    **{service: dict.fromkeys((f"migrate-{service}", "topics"), "service_completed_successfully") for service in SERVICES},
    KEEPER: dict.fromkeys((*(f"migrate-{service}" for service in SERVICES), "topics"), "service_completed_successfully"),
}
"""Who has to have come how far before a container is started."""


def environment(one: Container) -> dict[str, str]:
    found = one.get("environment", {})
    return {name: str(value) for name, value in (found.items() if isinstance(found, dict) else (line.split("=", 1) for line in found))}


def mounts(one: Container) -> list[tuple[str, str, bool]]:
    """(volume or place, where, whether only to read)."""
    parts = [text.split(":") for text in one.get("volumes", [])]
    return [(words[0], words[1], words[2:] == ["ro"]) for words in parts]


def no_password(name: str, one: Container, whole: Compose) -> bool:
    told = environment(one)
    named = (value for key, value in told.items() if TELLING.search(key) and not key.endswith("_FILE"))
    words = [*told.values(), *one.get("command", []), *one.get("entrypoint", []), *str(one.get("build", "")).split()]
    return not any(named) and not any(IN_URL.search(str(word)) for word in words)


def not_privileged(name: str, one: Container, whole: Compose) -> bool:
    return not any(one.get(key) for key in ("privileged", "cap_add", "devices", "pid", "ipc", "userns_mode", "uts", "sysctls"))


def published(name: str, one: Container, whole: Compose) -> bool:
    """On loopback unless somebody says otherwise."""
    ports = one.get("ports", [])
    return not ports or (name in PUBLISHED | OF_OVERLAYS and all(str(port).startswith("127.0.0.1:") for port in ports))


def read_only(name: str, one: Container, whole: Compose) -> bool:
    tight = all({"noexec", "nosuid", "nodev"} <= set(place.rpartition(":")[2].split(",")) for place in one.get("tmpfs", [])[:1])
    return one.get("read_only") is True and tight


def no_capability(name: str, one: Container, whole: Compose) -> bool:
    return one.get("cap_drop") == ["ALL"] and "no-new-privileges:true" in one.get("security_opt", [])


def health(name: str, one: Container, whole: Compose) -> bool:
    """By exec, not by a shell; of what runs once its exit code tells."""
    asked = one.get("healthcheck", {})
    if name in ONCE | ASKED_BY_OTHERS:
        return bool(asked == {"disable": True})
    return asked.get("test", [""])[0] == "CMD" and len(asked["test"]) > 1 and {"interval", "timeout", "start_period"} <= asked.keys()


def order(name: str, one: Container, whole: Compose) -> bool:
    needs = {other: how.get("condition") for other, how in one.get("depends_on", {}).items()}
    return all(needs.values()) and needs.keys() <= whole["services"].keys() and NEEDS.get(name, {}).items() <= needs.items()


def memory(name: str, one: Container, whole: Compose) -> bool:
    return bool(re.fullmatch(r"[1-9]\d*[mg]", str(one.get("mem_limit", "")))) and 0 < one.get("pids_limit", 0) <= 1000


def pinned(name: str, one: Container, whole: Compose) -> bool:
    """To a version; what is built here is asked for nowhere else."""
    image, _, tag = str(one.get("image", "")).partition(":")
    if "build" in one:
        return one.get("pull_policy") == "never" and image.startswith("lifang/") and bool(tag)
    return bool(re.match(r"v?\d+(\.\d+)+", tag))


def own_network(name: str, one: Container, whole: Compose) -> bool:
    """Out into the world only what also has somebody to talk to there."""
    networks, known = one.get("networks", []), whole.get("networks", {})
    closed = all(known.get(network, {}).get("internal") for network in networks)
    return "network_mode" not in one and bool(networks) and set(networks) <= known.keys() and (
        closed or name in PUBLISHED | OF_OVERLAYS) and not one.get("extra_hosts")


def secrets_as_files(name: str, one: Container, whole: Compose) -> bool:
    """One directory, its own and to be read alone; the place where all of them are is for who makes them."""
    held = [each for each in mounts(one) if each[0].startswith("secrets-") or each[1].startswith(SECRETS)]
    if name == "secrets":
        return all(where == f"/secrets/{volume.removeprefix('secrets-')}" for volume, where, _ in held) and bool(held)
    return held == ([(f"secrets-{HOLDS.get(name, name)}", SECRETS, True)] if needs_secrets(name) else [])


def needs_secrets(name: str) -> bool:
    return name in {*SERVICES, *PROVISIONED, KEEPER, BY_HAND, "postgres", "kafka", "demo", "grafana"}


def restart(name: str, one: Container, whole: Compose) -> bool:
    return bool(one.get("restart") == ("no" if name in ONCE else "unless-stopped")) and one.get("init") is True and (
        name in ONCE or "stop_grace_period" in one)


def no_socket(name: str, one: Container, whole: Compose) -> bool:
    """Nothing of the host but files of this directory, to be read."""
    return all(
        volume in whole.get("volumes", {}) or (volume.startswith("./deploy/") and only) for volume, _, only in mounts(one)
    ) and "docker.sock" not in str(one)


CHECKS: tuple[Callable[[str, Container, Compose], bool], ...] = (
    no_password, not_privileged, published, read_only, no_capability, health, order, memory, pinned, own_network, secrets_as_files, restart,
    no_socket)


def findings(whole: Compose) -> Iterator[tuple[str, str]]:
    for name, one in whole["services"].items():
        for check in CHECKS:
            if not check(name, one, whole):
                yield check.__name__, name
