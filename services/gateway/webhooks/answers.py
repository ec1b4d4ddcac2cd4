"""What came of an attempt, and how long a receiver asks to be left alone."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from msgspec import Struct
from prometheus_client import Counter

ATTEMPTS = Counter("lifang_gateway_webhook_attempts_total", "Attempts to tell a webhook by what came of them", ["answer"])


class Answer(Struct, frozen=True):
    """`code`: empty where it was taken (2xx), else stable: `http_<status>`, timeout, connect_failed, tls_failed, broke_off, or why the
    place was refused. `after`: seconds for which the receiver has asked for quiet."""

    code: str = ""
    after: float = 0.0

    @property
    def kind(self) -> str:
        """Of few, for a label."""
        return f"{self.code[:6]}xx" if self.code.startswith("http_") else self.code or "taken"


def quiet_for(retry_after: str, now: datetime) -> float:
    """Seconds of a `Retry-After`, which is a number of them or a date (RFC 9110, 10.2.3); 0 for what is neither, or over."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        until = parsedate_to_datetime(retry_after)
        return max(0.0, (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp() - now.timestamp())
    except (ValueError, OverflowError):
        return 0.0
