"""Weaker compose files: every weakening of the table, in turn, in every container that it concerns."""

import copy
from collections.abc import Callable, Iterator

from msgspec import Struct

from tests.deploy.compose_file import Compose
from tests.deploy.compose_policy import ASKED_BY_OTHERS, NEEDS, OF_OVERLAYS, ONCE, PUBLISHED, Container, needs_secrets


class Weaker(Struct, frozen=True):
    """`check`: which one has to notice."""

    check: str
    what: str
    container: str
    whole: Compose


Change = Callable[[Container], object]
MAKE_PORTS = ["127.0.0.1:9999:9999"]


def setting(key: str, value: object) -> Change:
    return lambda one: one.__setitem__(key, value)


def without(key: str) -> Change:
    return lambda one: one.pop(key)


def within(key: str, name: str, value: object = None) -> Change:
    """Of a map: one entry set; or gone, where there is no value."""
    return lambda one: one[key].pop(name) if value is None else one.setdefault(key, {}).__setitem__(name, value)


def adding(key: str, value: str) -> Change:
    return lambda one: one.setdefault(key, []).append(value)


EVERYWHERE: dict[str, dict[str, Change]] = {
    "no_password": {
        "a password": within("environment", "POSTGRES_PASSWORD", "changeme"), "a token": within("environment", "API_TOKEN", "x"),
        "in an address": within("environment", "DATABASE_URL_X", "postgresql://a:b@postgres/x")},
    "not_privileged": {
        "privileged": setting("privileged", True), "a capability": setting("cap_add", ["NET_ADMIN"]), "pid": setting("pid", "host"),
        "ipc": setting("ipc", "host"), "a device": setting("devices", ["/dev/kvm"]), "users": setting("userns_mode", "host")},
    "read_only": {"writable": setting("read_only", False), "not said": without("read_only"), "tmpfs": setting("tmpfs", ["/tmp"])},
    "no_capability": {
        "kept": without("cap_drop"), "some": setting("cap_drop", ["NET_RAW"]), "new ones": without("security_opt"),
        "other option": setting("security_opt", ["seccomp:unconfined"])},
    "memory": {"none": without("mem_limit"), "nothing": setting("mem_limit", "0"), "processes": without("pids_limit")},
    "pinned": {"latest": setting("image", "postgres:latest"), "no tag": setting("image", "postgres"), "none": without("image")},
    "own_network": {
        "the host's": setting("network_mode", "host"), "none named": without("networks"), "an unknown one": adding("networks", "other"),
        "the host by name": setting("extra_hosts", ["host:host-gateway"])},
    "restart": {"never said": without("restart"), "another": setting("restart", "always"), "no init": without("init")},
    "no_socket": {
        "the engine": adding("volumes", "/var/run/docker.sock:/var/run/docker.sock:ro"), "the host": adding("volumes", "/:/host:ro"),
        "to write": adding("volumes", "./deploy/image:/x")},
    "health": {"none": without("healthcheck")},
    "order": {"of nobody": within("depends_on", "nobody", {"condition": "service_started"})},
    "secrets_as_files": {
        "all of them": adding("volumes", "secrets-vault:/run/secrets/lifang:ro"), "others'": adding("volumes", "secrets-gateway:/x:ro")},
}


def changes(name: str, one: Container) -> Iterator[tuple[str, str, Change]]:
    for check, ways in EVERYWHERE.items():
        yield from ((check, what, change) for what, change in ways.items())
    for other in NEEDS.get(name, {}):
        yield "order", f"not after {other}", within("depends_on", other)
        yield "order", f"{other} merely started", within("depends_on", other, {"condition": "service_started"})
    if "build" in one:
        yield "pinned", "asked for elsewhere", without("pull_policy")
    if name not in ONCE | ASKED_BY_OTHERS:
        yield "health", "by a shell", lambda one: one["healthcheck"].__setitem__("test", ["CMD-SHELL", "true"])
        yield "health", "at once", within("healthcheck", "start_period")
        yield "health", "never", setting("healthcheck", {"disable": True})
    if name not in ONCE:
        yield "restart", "killed at once", without("stop_grace_period")
    if name in PUBLISHED | OF_OVERLAYS:
        yield "published", "to everybody", setting("ports", ["8080:8080"])
        yield "published", "on every address", setting("ports", ["0.0.0.0:8080:8080"])
    else:
        yield "published", "a port", setting("ports", MAKE_PORTS)
        yield "own_network", "out", setting("networks", ["inside", "outside"])
    if needs_secrets(name):
        yield "secrets_as_files", "to write", lambda one: one.__setitem__("volumes", [v.removesuffix(":ro") for v in one["volumes"]])
        yield "secrets_as_files", "none", setting("volumes", [])


def weaker(whole: Compose) -> Iterator[Weaker]:
    for name in whole["services"]:
        for check, what, change in changes(name, whole["services"][name]):
            other = copy.deepcopy(whole)
            change(other["services"][name])
            yield Weaker(check, what, name, other)
