"""Whom PostgreSQL runs as: it refuses root, so root starts it as `nobody`, who must be able to reach its files."""

import hashlib
import os
import pwd
import stat
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TypedDict

from msgspec import Struct


class Identity(TypedDict, total=False):
    """Arguments of `subprocess.Popen`."""

    user: int
    group: int
    extra_groups: list[int]


class Account(Struct, frozen=True):
    uid: int
    gid: int

    def identity(self) -> Identity:
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def reaches(self, path: Path) -> bool:
        """Whether someone who owns nothing here may pass every directory above `path` and read it."""
        try:
            passable = all(parent.stat().st_mode & stat.S_IXOTH for parent in path.absolute().parents)
            return passable and bool(path.stat().st_mode & stat.S_IROTH)
        except OSError:
            return False


@cache
def unprivileged() -> Account | None:
    """None when we are not root: then PostgreSQL simply runs as we do."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def reachable(preferred: Iterable[Path], checkout: Path) -> Path:
    """The first directory that PostgreSQL's account gets to; else one of this checkout's own under /var/tmp or /tmp.

    Raises PermissionError when none is left, or when someone else has put something at that name.
    """
    account = unprivileged()
    for directory in preferred:
        above = directory if directory.exists() else directory.parent
        if (account is None or account.reaches(above)) and os.access(above, os.W_OK):
            return directory
    name = f"lifang-{os.geteuid()}-{hashlib.sha256(str(checkout).encode()).hexdigest()[:12]}"
    for temporary in (Path("/var/tmp"), Path("/tmp")):
        if not os.access(temporary, os.W_OK):
            continue
        directory = temporary / name
        directory.mkdir(mode=0o755, exist_ok=True)
        found = directory.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
            directory.chmod(0o755)
            return directory
    raise PermissionError("PostgreSQL's account reaches neither this checkout nor a directory under /var/tmp or /tmp")
