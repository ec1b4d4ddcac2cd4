"""Figures for authorities, in which nobody is singled out. Pure.

A count of people below three is never said. It is folded with the next smallest ones into `other` until that has three; where even
all of them have not, nothing is said but that there are fewer.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

FEWEST = 3
OTHER = "other"


def folded(counts: Mapping[str, int]) -> dict[str, int]:
    """Without the small ones, which are together in `other`; empty where all of them are too few. What is none is not said."""
    rest = sorted(((n, name) for name, n in counts.items() if n > 0), key=lambda one: (-one[0], one[1]))
    other = 0
    while rest and (rest[-1][0] < FEWEST or 0 < other < FEWEST):
        other += rest.pop()[0]
    found = {name: n for n, name in rest}
    return {**found, OTHER: other} if other >= FEWEST else found


def people(count: int) -> dict[str, int]:
    return {"people": count} if count == 0 or count >= FEWEST else {"fewer_than": FEWEST}


def incident(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What it is, where to the building, how it goes and whether its deadlines were met; what nobody said is absent."""
    deadlines = {name: _deadline(one, now) for name, one in row["deadlines"].items()}
    found = {
        "id": row["id"], "kind": row["kind"], "severity": row["severity"], "silent": row["silent"], "state": row["state"],
        "building_id": row["building_id"], "building": row["building"], "raised_at": row["raised_at"], "count": row["count"],
        "ended_at": row["ended_at"], "how": row["how"], "level": (row["escalation"] or {}).get("level"),
        "seconds_to_acknowledge": _seconds(row, "acknowledgement"), "seconds_to_verify": _seconds(row, "verification")}
    return {**{name: value for name, value in found.items() if value is not None}, "deadlines": deadlines}


def _deadline(one: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """`met` is absent while it still can be."""
    due, done = datetime.fromisoformat(one["due"]), one["done_at"]
    if done is None:
        return {"due": one["due"], **({"met": False} if now > due else {})}
    return {"due": one["due"], "done_at": done, "met": datetime.fromisoformat(done) <= due}


def _seconds(row: Mapping[str, Any], step: str) -> int | None:
    """From when it was raised until the step was done."""
    done = row["deadlines"].get(step, {}).get("done_at")
    return int((datetime.fromisoformat(done) - row["raised_at"]).total_seconds()) if done else None


def lot(row: Mapping[str, Any], counted: Mapping[tuple[Any, str, str], int]) -> dict[str, Any]:
    """Of each zone how many spaces it has, how many vehicles are inside, and how many are in question since their exit was missed."""
    zones = []
    for zone, spaces in sorted(row["spaces"].items()):
        inside = counted.get((row["id"], zone, "inside"), 0)
        zones.append({
            "zone": zone, "spaces": spaces, "inside": inside, "quarantined": counted.get((row["id"], zone, "quarantined"), 0),
            **({"percent": inside * 100 // spaces} if spaces else {})})
    return {"id": row["id"], "name": row["name"], "zones": zones}


def patrol(row: Mapping[str, Any]) -> dict[str, Any]:
    """A route under the name that it had last; percent of the stops where somebody was, rounded down."""
    met = {how: row[how] for how in ("early", "on_time", "late", "missed")}
    stops = sum(met.values())
    return {
        "route_id": row["route_id"], "name": row["names"][0], "rounds": row["rounds"], "complete": row["complete"], "stops": stops, **met,
        "percent": (stops - row["missed"]) * 100 // stops}
