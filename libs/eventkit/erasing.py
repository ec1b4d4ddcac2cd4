"""Erasing a person in one service: the keys of all that was sealed for them, then the word that it is done. `key_erased` is in the log
before a key is destroyed, `erasure_confirmed` after the last one is: whoever was killed in between does the rest when they come back."""
from typing import TYPE_CHECKING
from uuid import UUID
from msgspec import Struct
from libs.eventkit.decider import Decider
from libs.eventkit.failpoints import reach
from libs.eventkit.keys_topic import KeyErased
from libs.eventkit.reactions import Do, Reaction, context_of
from libs.eventkit.recorded import Recorded

if TYPE_CHECKING:
    from libs.eventkit.service import App

class ErasureBegun(Struct, frozen=True, tag="erasure_begun"):
    """Whatever this service has sealed for these subjects of keys is to be unreadable."""
    person_id: UUID
    subjects: tuple[str, ...]
class ErasureConfirmed(Struct, frozen=True, tag="erasure_confirmed"):
    """It is: so many keys are gone."""
    person_id: UUID
    keys: int
class Erasure(Struct, frozen=True):
    subjects: frozenset[str] | None = None
    confirmed: bool = False
class BeginErasure(Struct, frozen=True):
    """`again`: something was sealed for them after all, in the moment of the erasure."""
    person_id: UUID
    subjects: tuple[str, ...]
    again: bool = False
class ConfirmErasure(Struct, frozen=True):
    person_id: UUID
    keys: int
class EraseKey(Struct, frozen=True):
    key_id: UUID

def evolve(erasure: Erasure, event: ErasureBegun | ErasureConfirmed) -> Erasure:
    return Erasure(frozenset(event.subjects)) if isinstance(event, ErasureBegun) else Erasure(erasure.subjects, True)
def decide_begin(command: BeginErasure, erasure: Erasure) -> list[ErasureBegun | ErasureConfirmed]:
    subjects = (erasure.subjects or frozenset()) | set(command.subjects)
    nothing = subjects == erasure.subjects and not command.again
    return [] if nothing else [ErasureBegun(command.person_id, tuple(sorted(subjects)))]
def decide_confirm(command: ConfirmErasure, erasure: Erasure) -> list[ErasureBegun | ErasureConfirmed]:
    nothing = erasure.subjects is None or erasure.confirmed
    return [] if nothing else [ErasureConfirmed(command.person_id, command.keys)]
def decide_erase_key(command: EraseKey, gone: bool) -> list[KeyErased]:
    return [] if gone else [KeyErased(command.key_id)]

ERASURES = Decider[Erasure, ErasureBegun | ErasureConfirmed]("erasure", Erasure(), evolve, {
    BeginErasure: decide_begin, ConfirmErasure: decide_confirm})
KEYS = Decider[bool, KeyErased]("key", False, lambda gone, event: gone or isinstance(event, KeyErased), {EraseKey: decide_erase_key})
EVENTS, DECIDERS = (ErasureBegun, ErasureConfirmed), (ERASURES, KEYS)

def begin(person_id: UUID, *subjects: str, again: bool = False) -> Do:
    return Do("erase", person_id, BeginErasure(person_id, subjects, again))

def erasing(app: "App") -> Reaction:
    """Counts the keys that were erased before, too: a rerun says the same."""
    async def begun(event: ErasureBegun, row: Recorded) -> list[Do]:
        keys = await app.keyring.own(row.community_id, event.subjects)
        for key_id in keys:
            await app.commands.handle(key_id, EraseKey(key_id), context_of(row, f"erase {key_id}"))
        reach("erasure.logged")
        for key_id in keys:
            await app.keyring.erase(key_id)
        reach("erasure.destroyed")
        return [Do("confirm", event.person_id, ConfirmErasure(event.person_id, len(keys)))]
    return Reaction("erasing", {ErasureBegun: begun}, apart=True)

async def is_erased(app: "App", community_id: UUID, person_id: UUID) -> bool:
    """Whether it has begun here."""
    erasure, _ = await app.commands.state(ERASURES, person_id, community_id)
    return erasure.subjects is not None
