"""Named places where a fault test may end the process: the gaps between two durable steps. `LIFANG_FAILPOINT=name` kills it (SIGKILL) the
first time it comes there, once the file that `LIFANG_FAILPOINT_ARMED` names exists (or at once where it names none)."""
import os
import signal
import tomllib
from pathlib import Path

FAILPOINTS: dict[str, str] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
_chosen = os.environ.get("LIFANG_FAILPOINT", "")
_meaning = FAILPOINTS[_chosen] if _chosen else ""  # KeyError for a point that is in no table
_armed = os.environ.get("LIFANG_FAILPOINT_ARMED", "")
def reach(name: str) -> None:
    """Does nothing but in a fault test that named this point."""
    if _chosen == name and (not _armed or Path(_armed).exists()):
        if _armed:
            Path(_armed).unlink()
        os.kill(os.getpid(), signal.SIGKILL)
