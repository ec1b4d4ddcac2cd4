"""What each kind of visitor pass allows: how long, how often, how far ahead."""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from libs.eventkit.decider import Refused

PassKind = Literal["family", "courier", "takeaway", "service"]
AHEAD = timedelta(days=30)


class KindRule(Struct, frozen=True):
    """`most`: uses; `usual`: those of a pass that names none; None: as often as they like."""

    longest: timedelta
    most: int
    usual: int | None


RULES: dict[PassKind, KindRule] = {
    "family": KindRule(timedelta(days=7), 50, None),
    "courier": KindRule(timedelta(hours=12), 3, 1),
    "takeaway": KindRule(timedelta(hours=3), 1, 1),
    "service": KindRule(timedelta(days=3), 10, 1),
}


def within_rule(kind: PassKind, valid_from: datetime, valid_until: datetime, uses: int | None, now: datetime) -> None:
    """Raises Refused for a pass beyond what its kind allows."""
    rule = RULES[kind]
    if valid_until <= max(valid_from, now):
        raise Refused("pass_window_over")
    if valid_until - valid_from > rule.longest:
        raise Refused("pass_window_too_long", kind=kind, longest_hours=int(rule.longest.total_seconds()) // 3600)
    if valid_from > now + AHEAD:
        raise Refused("pass_begins_too_late", days=AHEAD.days)
    if (uses is None and rule.usual is not None) or (uses is not None and not 1 <= uses <= rule.most):
        raise Refused("pass_uses_out_of_range", kind=kind, most=rule.most)
