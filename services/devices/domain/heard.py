"""What is known of a device from all that it has said: its numbers, the latest reports, open gaps, its clock."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from services.devices.domain.liveness import Clock, learn
from services.devices.domain.serials import Gap, Serials

REMEMBERED, LATEST = 5000, 64
"""Reports by whose fingerprint (8 bytes) a repeat is known; of those, how many are apart, since each copies what it is added to."""
OPEN_GAPS = 256
GAPS_AT_ONCE = 8
OVERTAKEN = 100
"""Numbers by which one that never came may be behind the latest and still be of the same count."""


class Heard(Struct, frozen=True):
    """`checked`: up to which number gaps have been looked for. `recent`, `latest`: fingerprints, oldest first. `anew`: the device has begun
    its numbers again, so that not every number that came is in `serials`."""

    serials: Serials = Serials()
    recent: bytes = b""
    gaps: tuple[Gap, ...] = ()
    checked: int | None = None
    clock: Clock = Clock()
    anew: bool = False
    latest: bytes = b""

    def knows(self, fingerprint: str, serial: int | None) -> bool:
        """Whether this very report has been told; never for an empty fingerprint. A report's number is in its fingerprint (what
        has a mark of its own has no number), so one that never came says sooner than five thousand fingerprints that it is new."""
        if not fingerprint or (serial is not None and not self.anew and self.serials.never(serial)):
            return False
        mark = bytes.fromhex(fingerprint)
        forgotten = max(0, len(self.recent) + len(self.latest) - 8 * REMEMBERED)
        return mark in self.latest or self.recent.find(mark, forgotten) >= 0

    def begins_anew(self, serial: int) -> bool:
        """Whether a live report of this number is the first of a new count, as after a factory reset: it is below the latest and was
        used before, or is too far below to have been overtaken and is not missing."""
        if self.checked is None or serial >= self.checked:
            return False
        late = serial >= self.checked - OVERTAKEN or any(after < serial < before for after, before in self.gaps)
        return serial in self.serials or not late

    def new_gaps(self, serial: int) -> tuple[Gap, ...]:
        """What is missing before a live number since the last look, told as one gap where it is in many pieces."""
        after = self.serials.below(serial) if self.checked is None else self.checked
        if after is None or after >= serial:
            return ()
        gaps = self.serials.missing(after, serial)
        return gaps if len(gaps) <= GAPS_AT_ONCE else ((gaps[0][0], serial),)

    def filled(self, serial: int) -> tuple[Gap, ...]:
        """The open gaps that this number closes."""
        if not (around := [gap for gap in self.gaps if gap[0] < serial < gap[1]]):
            return ()
        serials = self.serials.add(serial)
        return tuple(gap for gap in around if not serials.missing(*gap))

    def after_number(self, serial: int, live: bool) -> "Heard":
        if live and self.begins_anew(serial):
            return replace(self, serials=Serials().add(serial), checked=serial, gaps=(), anew=True)
        checked = max(serial, self.checked or 0) if live else self.checked
        return replace(self, serials=self.serials.add(serial), checked=checked)

    def after_report(self, fingerprint: str) -> "Heard":
        later = replace(self, latest=self.latest + bytes.fromhex(fingerprint))
        return later if len(later.latest) < 8 * LATEST else later.as_carried()

    def as_carried(self) -> "Heard":
        """With all fingerprints in one, as every reader of what is carried knows them."""
        return replace(self, recent=(self.recent + self.latest)[-8 * REMEMBERED:], latest=b"")

    def after_clock(self, live: bool, history: bool, device_time: datetime | None, at: datetime) -> "Heard":
        return replace(self, clock=learn(self.clock, live, history, device_time, at))

    def after_gap(self, gap: Gap) -> "Heard":
        return replace(self, gaps=(*self.gaps, gap)[-OPEN_GAPS:])

    def after_closing(self, gap: Gap) -> "Heard":
        return replace(self, gaps=tuple(g for g in self.gaps if g != gap))
