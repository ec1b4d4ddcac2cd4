"""What a look at the facts has found: which invariant does not hold, and how many events are lost, doubled or stuck by it."""

from collections.abc import Iterable

from msgspec import Struct

from tests.faults.tally import Tally


class Finding(Struct, frozen=True):
    invariant: str
    what: object
    lost: int = 0
    doubled: int = 0
    stuck: int = 0


class Broken(AssertionError):
    """An invariant does not hold."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"{finding.invariant}: {finding.what}")
        self.invariant = finding.invariant


def settle(findings: Iterable[Finding], tally: Tally) -> None:
    """Counts all of them; raises Broken for the first."""
    found = list(findings)
    for one in found:
        tally.lost += one.lost
        tally.doubled += one.doubled
        tally.stuck += one.stuck
    if found:
        raise Broken(found[0])
