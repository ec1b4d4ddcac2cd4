"""Named places where a fault test may end the process: the gaps between two durable steps. `LIFANG_FAILPOINT=name` kills it (SIGKILL) the
first time it comes there, once the file that `LIFANG_FAILPOINT_ARMED` names exists (or at once where it names none)."""
import os
import signal
from pathlib import Path

FAILPOINTS = {
    "append.before": "the batch is ready, nothing sent to the database",
    "append.after": "the batch is committed, nobody has been answered",
    "relay.sent": "the topic has acknowledged, the checkpoint has not moved",
    "hear.before": "records fetched, not stored",
    "hear.after": "records and marks stored, Kafka not told",
    "view.written": "rows and checkpoint written, not committed",
    "view.committed": "rows and checkpoint committed",
    "reaction.done": "the commands of an event are stored, the checkpoint has not moved",
    "timer.fired": "what was due is done and said, the table of what is due has not moved",
    "erasure.logged": "it is in the log that the keys are erased, they are not destroyed",
    "erasure.destroyed": "the keys are destroyed, nobody has been told that all of them are",
    "seal.made": "the seal is in the database, nobody outside knows it",
    "seal.kept": "the file has the newest head, the topic may not",
    "retention.page": "a page is blanked and the log says so, nothing of the next is done",
    "effect.attempted": "the attempt is in the log, the device has not been called",
    "effect.called": "the device has been called, its answer is not in the log",
}

_chosen = os.environ.get("LIFANG_FAILPOINT", "")
_meaning = FAILPOINTS[_chosen] if _chosen else ""  # KeyError for a point that is in no table
_armed = os.environ.get("LIFANG_FAILPOINT_ARMED", "")

def reach(name: str) -> None:
    """Does nothing but in a fault test that named this point."""
    if _chosen == name and (not _armed or Path(_armed).exists()):
        if _armed:
            Path(_armed).unlink()
        os.kill(os.getpid(), signal.SIGKILL)
