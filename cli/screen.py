"""What people read: standard error for progress, standard output for answers, colour only on a terminal."""

import json
import os
import sys
from typing import Any, NoReturn

_COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


def paint(text: str, colour: str) -> str:
    if os.environ.get("NO_COLOR") or not sys.stdout.isatty():
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def answer(value: Any) -> None:
    """One JSON document, for programs."""
    print(json.dumps(value, ensure_ascii=False))


def stop(text: str, code: int = 1) -> NoReturn:
    """Ends the command, saying why."""
    print(text, file=sys.stderr, flush=True)
    raise SystemExit(code)
