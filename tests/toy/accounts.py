"""A domain with nothing to it but what exercises the mechanism: sums, names that one account may have, notes of what was heard."""

from collections.abc import Iterable
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider, NotYet, Refused, Release, Take


class Added(Struct, frozen=True, tag="added"):
    amount: int


class Named(Struct, frozen=True, tag="named"):
    name: str


class Unnamed(Struct, frozen=True, tag="unnamed"):
    pass


class Noted(Struct, frozen=True, tag="noted"):
    source: UUID
    amount: int


class Account(Struct, frozen=True):
    total: int = 0
    name: str = ""
    noted: frozenset[UUID] = frozenset()


def evolve(state: Account, event: Struct) -> Account:
    match event:
        case Added(amount):
            return replace(state, total=state.total + amount)
        case Named(name):
            return replace(state, name=name)
        case Unnamed():
            return replace(state, name="")
        case Noted(source):
            return replace(state, noted=state.noted | {source})
    return state


class Add(Struct, frozen=True):
    amount: int
    twice: bool = False


class Name(Struct, frozen=True):
    name: str


class Unname(Struct, frozen=True):
    pass


class Note(Struct, frozen=True):
    source: UUID
    amount: int


def decide_add(command: Add, state: Account) -> list[Struct]:
    """Zero says nothing, what would leave a negative sum is refused."""
    if state.total + command.amount < 0:
        raise Refused("negative", total=state.total)
    return [Added(command.amount)] * (2 if command.twice else 1) if command.amount else []


def decide_name(command: Name, state: Account) -> list[Struct]:
    if command.name == state.name:
        return []
    return [*([Unnamed()] if state.name else []), Named(command.name)]


def decide_unname(command: Unname, state: Account) -> list[Struct]:
    return [Unnamed()] if state.name else []


def decide_note(command: Note, state: Account) -> list[Struct]:
    """Deliberately blind to what was noted before: only the mechanism keeps a rerun from noting twice."""
    if command.amount == 404:
        raise NotYet("404 is never known")
    return [Noted(command.source, command.amount)]


def claims(command: Struct, event: Struct) -> Iterable[Take | Release]:
    match event:
        case Named(name):
            yield Take("name", name, "name_taken")
        case Unnamed():
            yield Release("name")


ACCOUNTS: Decider[Account, Struct] = Decider(
    category="account", initial=Account(), evolve=evolve,
    decide={Add: decide_add, Name: decide_name, Unname: decide_unname, Note: decide_note}, claims=claims)
