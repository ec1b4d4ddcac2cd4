"""So often within a time, and no more: of codes, looks, misses, declarations."""

from collections.abc import Sequence
from datetime import datetime, timedelta


def left(counted: Sequence[datetime], most: int, within: timedelta, now: datetime) -> timedelta:
    """How long nothing more is taken, not positive where it is. `counted`: oldest first. What lies further ahead than the whole time was
    counted by a clock that was wrong, and is not believed: it would shut somebody out until then."""
    believed = [at for at in counted if at - now <= within]
    return believed[-most] + within - now if len(believed) >= most else timedelta()
