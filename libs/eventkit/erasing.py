"""Erasing a person in one service: the keys of all that was sealed for them, then the word that it is done. `key_erased` is in the log
before a key is destroyed, `erasure_confirmed` after the last one is: whoever was killed in between does the rest when they come back."""
from typing import TYPE_CHECKING
from uuid import UUID
from msgspec import Struct
from libs.eventkit import decider, failpoints, keys_topic, reactions, recorded

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
    return [] if subjects == erasure.subjects and not command.again else [ErasureBegun(command.person_id, tuple(sorted(subjects)))]
def decide_confirm(command: ConfirmErasure, erasure: Erasure) -> list[ErasureBegun | ErasureConfirmed]:
    return [] if erasure.subjects is None or erasure.confirmed else [ErasureConfirmed(command.person_id, command.keys)]
def decide_erase_key(command: EraseKey, gone: bool) -> list[keys_topic.KeyErased]:
    return [] if gone else [keys_topic.KeyErased(command.key_id)]
ERASURES = decider.Decider[Erasure, ErasureBegun | ErasureConfirmed]("erasure", Erasure(), evolve, {
    BeginErasure: decide_begin, ConfirmErasure: decide_confirm})
KEYS = decider.Decider[bool, keys_topic.KeyErased](
    "key", False, lambda gone, event: gone or isinstance(event, keys_topic.KeyErased), {EraseKey: decide_erase_key})
EVENTS, DECIDERS = (ErasureBegun, ErasureConfirmed), (ERASURES, KEYS)
def begin(person_id: UUID, *subjects: str, again: bool = False) -> reactions.Do:
    return reactions.Do("erase", person_id, BeginErasure(person_id, subjects, again))
def erasing(app: "App") -> reactions.Reaction:
    """Counts the keys that were erased before, too: a rerun says the same."""
    async def begun(event: ErasureBegun, row: recorded.Recorded) -> list[reactions.Do]:
        keys = await app.keyring.own(row.community_id, event.subjects)
        for key_id in keys:
            await app.commands.handle(key_id, EraseKey(key_id), reactions.context_of(row, f"erase {key_id}"))
        failpoints.reach("erasure.logged")
        for key_id in keys:
            await app.keyring.erase(key_id)
        failpoints.reach("erasure.destroyed")
        return [reactions.Do("confirm", event.person_id, ConfirmErasure(event.person_id, len(keys)))]
    return reactions.Reaction("erasing", {ErasureBegun: begun}, apart=True)
async def is_erased(app: "App", community_id: UUID, person_id: UUID) -> bool:
    """Whether it has begun here."""
    return (await app.commands.state(ERASURES, person_id, community_id))[0].subjects is not None
