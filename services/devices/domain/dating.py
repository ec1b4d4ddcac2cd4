"""When did it happen, as others are told? By the device's clock, as far as that can be believed (decision 28); else it is of our receipt.

1. What is live is of now: a clock that says otherwise by more than 60 s is wrong.
2. What was kept is put right by what the device's live reports have shown of its clock, and is believed for 31 days: a QR code lasts
   no longer, and nobody keeps much longer what a device reported.
3. What is old without the mark of history comes from a clock or a memory that is in doubt: it is of our receipt.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from services.devices.domain.liveness import IN_SYNC, offset
from services.devices.domain.told import Told

KEPT = timedelta(days=31)
NEAR = timedelta(seconds=IN_SYNC)


class Dated(Struct, frozen=True):
    """`at` None: nobody knows more than when we received it. Findings: clock_skew (put right), clock_implausible (not believed)."""

    at: datetime | None = None
    findings: tuple[str, ...] = ()


def dated(told: Told, live: bool, known_skew: float | None, received_at: datetime) -> Dated:
    """`known_skew`: the device's clock minus ours in seconds, None where nothing is known of it."""
    if live:
        skew = offset(told.device_time, received_at)
        return Dated(None if skew is None or abs(skew) > IN_SYNC else _past(told.device_time, received_at))
    at = told.community_time if told.device_time is not None and told.device_time.tzinfo is None else told.device_time
    if not told.history or at is None:
        return Dated()
    findings: tuple[str, ...] = ()
    if known_skew is not None and abs(known_skew) > IN_SYNC:
        put_right = at - timedelta(seconds=known_skew)
        if put_right <= received_at + NEAR:  # else the clock has been set since it was kept
            at, findings = put_right, ("clock_skew",)
    if not received_at - KEPT <= at <= received_at + NEAR:
        return Dated(None, (*findings, "clock_implausible"))
    return Dated(_past(at, received_at), findings)


def _past(at: datetime | None, received_at: datetime) -> datetime | None:
    return min(at, received_at) if at is not None else None
