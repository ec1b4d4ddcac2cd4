"""A mutant: one rule, broken in one place, and the tests that ought to notice."""

from pathlib import Path

from msgspec import Struct


class Mutant(Struct, frozen=True):
    """`name`: what would be wrong. `text` stands in `file` exactly once; `tests`: paths of pytest, without servers."""

    name: str
    file: str
    text: str
    replacement: str
    tests: tuple[str, ...]

    def stale(self, root: Path) -> str:
        """Why it breaks nothing (any more); empty where it does."""
        missing = [path for path in (self.file, *self.tests) if not (root / path).exists()]
        if missing:
            return f"no {', '.join(missing)}"
        times = (root / self.file).read_text(encoding="utf-8").count(self.text)
        if times != 1:
            return f"its text is there {times} times: {self.text.strip()[:60]!r}"
        return "" if self.text != self.replacement else "it changes nothing"


def of(file: str, tests: str | tuple[str, ...], *broken: tuple[str, str, str]) -> tuple[Mutant, ...]:
    """The mutants of one file: (what would be wrong, text, replacement)."""
    paths = (tests,) if isinstance(tests, str) else tests
    return tuple(Mutant(name, file, text, replacement, paths) for name, text, replacement in broken)
