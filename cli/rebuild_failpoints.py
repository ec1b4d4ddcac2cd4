"""Where a fault test may end a rebuild: `LIFANG_REBUILD_FAILPOINT=name` kills it (SIGKILL) when it comes there, `name:3` at the third
time."""

import os
import signal

FAILPOINTS = {
    "rebuild.copied": "communities are copied and remembered as done, not committed",
    "rebuild.written": "communities are copied and remembered as done",
    "rebuild.caught_up": "it stands at the log's end, the live view is still the old one",
    "rebuild.exchanged": "the tables have changed places with checkpoint and damage, not committed",
    "rebuild.switched": "the switch is made, nobody has been told",
}
_chosen, _, _times = os.environ.get("LIFANG_REBUILD_FAILPOINT", "").partition(":")
_meaning = FAILPOINTS[_chosen] if _chosen else ""  # KeyError for a point that is in no table
_left = [int(_times or 1)]


def reach(name: str) -> None:
    """Does nothing but in a fault test that named this point."""
    if _chosen == name:
        _left[0] -= 1
        if not _left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
