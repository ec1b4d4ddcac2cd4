"""`lifang status`: what runs, where, and how far each part is."""

import argparse
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cli import screen, stuck
from cli.call import Away, call
from cli.place import HERE, Place
from cli.stack import services
from cli.stack.demo import Demo
from cli.stack.kafka_rules import ADMIN, KEEPER
from cli.stack.ports import HOST, Kept, answers
from cli.stack.processes import Record, Running

TOLD = {
    "ready", "generation", "position", "parked", "damaged", "overdue", "gaps", "lag", "why", "sealed_behind", "late", "behind_since",
    "parked_since", "damage", "kept_aside", "unknown"}
"""What is taken from a service's own account of itself."""

def arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(options: argparse.Namespace) -> int:
    found = look(HERE) | {"holding": holders(HERE)}
    if options.json:
        screen.answer(found)
    else:
        show(found)
    return 0


def look(place: Place) -> dict[str, Any]:
    """Never fails: what does not answer is said to be not ready."""
    ports, record, demo = Kept.read(place).ports, Record.read(place), Demo.read(place)
    names = [name for name in services.names() if name in ports]
    with ThreadPoolExecutor(max(len(names), 1)) as pool:
        answers_of = pool.map(lambda name: service(name, ports, record.parts.get(name)), names)
        found = dict(zip(names, answers_of, strict=True))
    lag = {f"{name}.{what}": behind for name, one in found.items() for what, behind in one.pop("lag").items()}
    servers = {name: running(record.parts.get(name)) for name in ("kafka", "postgres")}
    answering = all(one["pid"] and answers(ports[name]) for name, one in servers.items()) and (
        not demo or all(answers(int(address.rpartition(":")[2])) for address in demo.addresses()))
    damaged = sum(one["damaged"] for one in found.values())
    ready = answering and bool(found) and demo is not None and not damaged and not any(lag.values()) and all(
        one["ready"] and not one["gaps"] for one in found.values())
    parked, overdue = (sum(one[what] for one in found.values()) for what in ("parked", "overdue"))
    return {
        "ready": ready,
        "community_id": demo.community_id if demo else None,
        "gateway": services.url("gateway", ports) if "gateway" in ports else None,
        "gateway_process": found.pop("gateway", None),
        "services": found,
        "kafka": {"bootstrap": f"{HOST}:{ports['kafka']}" if "kafka" in ports else None, **servers["kafka"],
                  "protocol": "SASL_PLAINTEXT", "mechanism": "SCRAM-SHA-512", "user": ADMIN,
                  "password_file": str(place.secrets / f"kafka-{ADMIN}")},
        "postgres": servers["postgres"],
        "databases": {name: services.database(name, ports) for name in names},
        "devices": devices(demo),
        "keeper": running(record.parts.get(KEEPER)),
        "simulator": running(record.parts.get("simulator")),
        "lag": lag,
        "parked": parked,
        "damaged": damaged,
        "overdue": overdue,
        "supervisor": running(record.supervisor),
    }


def holders(place: Place) -> list[dict[str, Any]]:
    from cli.stack.dumping import address  # here, because the database's client takes a moment that `up` and others need not wait for
    from cli.stack.holding import holding

    ports = Kept.read(place).ports
    return holding(address("postgres", ports)) if "postgres" in ports else []


def running(what: Running | None) -> dict[str, Any]:
    alive = what is not None and what.process() is not None
    return {"pid": what.pid if what and alive else None, "restarts": what.restarts if what else 0}


def service(name: str, ports: dict[str, int], what: Running | None) -> dict[str, Any]:
    url = services.url(name, ports)
    found = silent(url, what)
    try:
        status, answer = call("GET", f"{url}/internal/status", timeout=3)
        if status == 200:
            found |= {key: answer[key] for key in TOLD & answer.keys()} | {"task_restarts": answer.get("restarts", {})}
        status, answer = call("GET", f"{url}/readyz", timeout=3)
        found["ready"] = found["ready"] and status == 200
        if status != 200 and found["position"] is None:
            found["why"] = answer.get("why") or [f"it answers {status}, {answer.get('detail') or answer.get('code')}"]
    except Away:
        found["ready"] = False
    return found


def silent(url: str, what: Running | None) -> dict[str, Any]:
    """What is known of a service that says nothing."""
    return {
        "url": url, **running(what), "ready": False, "generation": None, "position": None, "parked": 0, "damaged": 0,
        "overdue": 0, "gaps": [], "lag": {}, "sealed_behind": {"events": 0, "seconds": 0}, "why": ["it does not answer"],
        "late": {}, "behind_since": {}, "parked_since": None, "damage": [], "kept_aside": {"records": 0, "latest": None}, "unknown": 0,
        "task_restarts": {}}


def devices(demo: Demo | None) -> dict[str, Any]:
    return {
        one.device_id: {
            "kind": kind, "name": one.name, "listen": one.listen, "push": {"url": one.push.url, "headers": one.push.headers}}
        for kind, ones in (("hikvision-terminal", demo.terminals), ("vzenith-camera", demo.cameras)) for one in ones
    } | {
        panel.device_id: {
            "kind": "dc09-panel", "name": panel.name, "listen": panel.listen, "push": {"url": "", "headers": {}},
            "account": panel.account, "encrypted": panel.encrypted}
        for panel in demo.panels
    } if demo else {}


def show(found: dict[str, Any]) -> None:
    print(screen.paint("ready", "green") if found["ready"] else screen.paint("not ready", "yellow"))
    for name, one in stuck.processes(found).items():
        mark = "up" if one["ready"] else "–"
        place = f"generation {one['generation']}, position {one['position']}" if one["position"] is not None else ""
        print(f"  {name:<10} {mark:<3} {one['url']}  pid {one['pid'] or '–'}  {place}{restarts(one)}")
    print(f"  {'kafka':<10} {'up' if found['kafka']['pid'] else '–':<3} {found['kafka']['bootstrap'] or '–'}"
          f"  pid {found['kafka']['pid'] or '–'}{restarts(found['kafka'])}")
    print(f"  {'postgres':<10} {'up' if found['postgres']['pid'] else '–':<3} pid {found['postgres']['pid'] or '–'}"
          f"{restarts(found['postgres'])}")
    print(f"  {'keeper':<10} {'up' if found['keeper']['pid'] else '–':<3} pid {found['keeper']['pid'] or '–'}{restarts(found['keeper'])}")
    for reason in (*stuck.missing(found), *stuck.held(found), *stuck.waiting(found), *stuck.unsealed(found)):
        print(f"  · {reason}")


def restarts(one: dict[str, Any]) -> str:
    return f"  started again {one['restarts']} times" if one["restarts"] else ""
