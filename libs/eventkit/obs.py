"""Structured logs and metrics. Neither holds personal data: errors are logged by type and place, not by message."""
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO
import msgspec
from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Histogram("lifang_request_seconds", "HTTP requests by route and status", ("service", "method", "route", "status"),
                     buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5))
STATES = {state: Gauge(f"lifang_{name}", text, ("service",)) for state, name, text in (
    ("position", "log_position", "Last position of the log"), ("ready", "ready", "1 where it is"), ("parked", "parked", "Events parked"),
    ("overdue", "overdue", "Timers that are more than five seconds late"), ("damaged", "damaged", "What views and memories could not take"),
    ("refuses", "relay_refuses", "1 where the relay waits for an operator"), ("generation", "log_generation", "Generation of the log"),
    ("gaps", "gaps", "Communities of which a topic lacks something"), ("kept", "kept", "1 where a keeper holds the log's lease"),
    ("unsealed", "unsealed_seconds", "For how long the oldest event that is not sealed has been in the log"))}
LAG = Gauge("lifang_lag", "How far a reader is behind, in positions or records", ("service", "reader"))
RESTARTS = Gauge("lifang_task_restarts", "How often a task of the process was started again", ("service", "task"))
HEARD = Counter("lifang_heard_total", "Records heard by answer", ("service", "answer"))
class _Lines(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "service": self.service, "logger": record.name,
                                "text": record.getMessage()}
        if record.exc_info and record.exc_info[0] is not None:
            where = [f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}" for f in traceback.extract_tb(record.exc_info[2])[-4:]]
            line |= {"error": record.exc_info[0].__name__, "where": where}
        return msgspec.json.encode(line).decode()
class _Seldom:
    """At most one line of a text in ten seconds: a client library without a broker says the same twenty times a second."""
    def __init__(self) -> None:
        self._last: dict[str, float] = {}
    def __call__(self, record: logging.LogRecord) -> bool:
        due = record.created - self._last.get(str(record.msg), -10.0) >= 10.0
        if record.name.startswith("aiokafka") and due:
            self._last = {**dict(list(self._last.items())[-200:]), str(record.msg): record.created}
        return due or not record.name.startswith("aiokafka")
def configure(service: str, stream: TextIO = sys.stdout) -> None:
    logging.basicConfig(level=logging.INFO, handlers=[handler := logging.StreamHandler(stream)], force=True)
    handler.setFormatter(_Lines(service))
    handler.addFilter(_Seldom())
    for noisy in ("uvicorn.access", "httpx", "httpcore", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
