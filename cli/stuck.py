"""What is stuck in a stack, since when, and what to type, in sentences. docs/runbook.md says more of each."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cli.place import HERE
from cli.stack.kafka_rules import KEEPER

UNSEALED = 30
"""Seconds after which it is told that nobody seals."""
NEWS = timedelta(days=1)
"""For so long it is told what was kept aside, which nobody waits for."""


def processes(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The services by name, and the gateway, whose own entry is its address."""
    return {**found["services"], **({"gateway": found["gateway_process"]} if found["gateway_process"] else {})}


def missing(found: dict[str, Any]) -> list[str]:
    """Why it is not ready."""
    titles = {"postgres": "PostgreSQL", "kafka": "Kafka"} | ({"simulator": "the simulator"} if found["devices"] else {})
    reasons = [f"{title} does not run" for name, title in titles.items() if found[name]["pid"] is None]
    for name, one in processes(found).items():
        why = [str(each) for each in one["why"] if not (one["gaps"] and " lacks " in str(each))]
        if not one["ready"] and (why or not one["gaps"]):
            silent = f": what it said last stands in {HERE.log / name}.log" if one["position"] is None else ""
            reasons.append(f"{name} is not ready: {'; '.join(why) or 'it has not said why'}{again(one)}{silent}")
        reasons += [
            f"{name} waits for what {gap['topic']} lacks of community {gap['community_id']}, after {gap['after'] or '0.0.0'}"
            f" up to {gap['upto']}{since(gap['since'])}: lifang republish {gap['topic'].split('.')[-2]}" for gap in one["gaps"]]
    if found["community_id"] is None:
        reasons.append("the demo community is not seeded")
    for name, one in processes(found).items():
        reasons += [
            f"view {each['view']} of {name} stands still for community {each['community_id']}, which it could not take at"
            f" {each['position']}{since(each['since'])}: lifang rebuild {name} {each['view']}" for each in one["damage"]]
        if unread := one["damaged"] - len(one["damage"]):
            reasons.append(f"{unread} more events of {name} could not be taken: which stands in {HERE.log / name}.log")
    return reasons + behind(found)


def behind(found: dict[str, Any]) -> list[str]:
    """Readers of one service that stand at one place are one line: its views are folded together."""
    alike: dict[tuple[str, str], list[str]] = {}
    for what, by in found["lag"].items():
        name, _, reader = what.partition(".")
        if by < 0:
            alike[name, f"{name} hears nothing: it is not connected to Kafka"] = []
        elif by and reader == "hear":
            alike[name, f"{what} is {by} records behind"] = []
        elif by:
            moved = since(processes(found)[name]["behind_since"].get(reader))
            alike.setdefault((name, f"{by} events behind{moved}"), []).append(what)
    return [
        f"{who[0]} is {what}" if len(who) == 1 else f"{who[0]} and {len(who) - 1} more of {name} are {what}" if who else what
        for (name, what), who in alike.items()]


def held(found: dict[str, Any]) -> list[str]:
    """Who stands in others' way in PostgreSQL."""
    return [
        f"session {one['pid']} of {one['user']} in database {one['database']} holds up {one['others']}"
        f" other{'s' if one['others'] > 1 else ''}{since(one['since'])}: kill {one['pid']}" for one in found.get("holding", [])]


def waiting(found: dict[str, Any]) -> list[str]:
    """What waits for a person, or for nobody any more; the services are ready all the same."""
    reasons = []
    for name, one in processes(found).items():
        if parked := one["parked"]:
            reasons.append(f"{parked} events of {name} are parked{since(one['parked_since'])}: lifang parked list {name}")
        if late := one["overdue"]:
            first = min((each["since"] for each in one["late"].values()), default=None)
            of = f" ({', '.join(sorted(one['late']))})" if one["late"] else ""
            what = f"{late} deadlines of {name} are" if late > 1 else f"1 deadline of {name} is"
            reasons.append(f"{what} overdue{of}{since(first)}: why stands in {HERE.log / name}.log")
        if unknown := one["unknown"]:
            reasons.append(f"{name} has heard {unknown} events of a type that this version does not know, since it was started:"
                           f" start a newer one, then lifang rebuild {name} VIEW of what needs them")
        aside = one["kept_aside"]
        if aside["records"] and datetime.now(UTC) - datetime.fromisoformat(aside["latest"]) < NEWS:
            reasons.append(f"{aside['records']} records that {name} could not read are kept aside, the latest at {moment(aside['latest'])}:"
                           f" which stands in {HERE.log / name}.log")
    return reasons


def unsealed(found: dict[str, Any]) -> list[str]:
    """What is wrong with the keeping of the logs; the services are ready all the same."""
    reasons = [] if found["keeper"]["pid"] else ["the keeper does not run: nothing is sealed, nothing that is over goes"]
    sealed = {name: one["sealed_behind"] for name, one in processes(found).items()}
    return reasons + [
        f"{one['events']} events of {name} are not sealed, the oldest for {one['seconds']} s: why stands in {HERE.log / KEEPER}.log"
        for name, one in sealed.items() if one["seconds"] > UNSEALED]


def since(at: str | None) -> str:
    """A moment as the database writes it; nothing where it is not known."""
    return f", since {moment(at)}" if at else ""


def moment(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def again(one: dict[str, Any]) -> str:
    """How often the tasks were started again that say why."""
    named = {str(why).partition(":")[0] for why in one["why"]}
    counted = [f"{name} {times} times" for name, times in sorted(one["task_restarts"].items()) if name in named]
    return f" (started again: {', '.join(counted)})" if counted else ""
