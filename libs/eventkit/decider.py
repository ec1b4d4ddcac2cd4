"""A decider: what has happened folds into what is, and what is decides what happens next.
Pure and synchronous; the clock and new ids arrive on the command (the pattern: Jérémie Chassaing, "Functional event sourcing decider")."""
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any, Generic, TypeVar
from msgspec import Struct

S = TypeVar("S")
E = TypeVar("E")
class Refused(Exception):
    """A rule says no. `code` is stable; `facts` are what the rule looked at, free of personal data."""
    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts
class NotYet(Exception):
    """The decision rests on a fact that has not been heard yet: nothing is stored, the caller comes back."""
class VersionMismatch(Exception):
    """The thing has changed since the caller looked at it (412)."""
class NotFound(Exception):
    """There is no such thing (the argument says what), or not in a community that the caller may see."""
class Take(Struct, frozen=True):
    """The stream takes `value` in `scope` for its community; refused with `code` while another stream holds it."""
    scope: str
    value: str
    code: str
class Release(Struct, frozen=True):
    """The stream gives up what it holds in `scope`."""
    scope: str
class Decider(Struct, Generic[S, E], frozen=True):
    """`category` prefixes the stream names; `claims` says what an event takes and releases (personal values only
    as blind index, which therefore stand on the command and never in the event)."""
    category: str
    initial: S
    evolve: Callable[[S, E], S]
    decide: Mapping[type, Callable[[Any, Any], list[Any]]]
    claims: Callable[[Any, Any], Iterable[Take | Release]] = lambda command, event: ()
    def fold(self, events: Iterable[E]) -> S:
        return reduce(self.evolve, events, self.initial)
