"""What an alarm panel said, in its own terms."""

from typing import Literal

from msgspec import Struct


class Signal(Struct, frozen=True):
    """What an alarm panel said beside the code. `user`: `zone` is the number of a user. None: not said."""

    protocol: Literal["contact_id", "sia", "other"]
    partition: int | None = None
    zone: int | None = None
    user: bool = False
