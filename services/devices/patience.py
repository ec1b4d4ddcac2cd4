"""How long a device that is read is waited for, and how long it is let alone when it fails."""

import random

from msgspec import Struct


class Patience(Struct, frozen=True):
    """Seconds. `silence`: three heartbeats without a byte mean that the device is gone."""

    connect: float = 3.0
    answer: float = 10.0
    silence: float = 90.0
    first_pause: float = 0.5
    longest_pause: float = 30.0

    def pause(self, failures: int) -> float:
        """Before the next attempt: doubled with each failure, and never the same for all devices."""
        whole = min(self.longest_pause, self.first_pause * 2.0 ** min(failures, 30))
        return whole * random.uniform(0.75, 1.0)
