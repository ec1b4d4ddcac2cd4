"""Retention: what has served its purpose is blanked where it stands, by class and age; an own event says so, and views fold it."""
from datetime import datetime
from msgspec import Struct

class Retired(Struct, frozen=True, tag="retired"):
    """Of the rows `first` … `upto` of this community, `count` of these types, older than `before`, are blanked, as class `name` says."""
    name: str
    types: tuple[str, ...]
    first: int
    upto: int
    count: int
    before: datetime

class Retention(Struct, frozen=True):
    """A class: rows of heard contracts, and whole own streams of these categories, whose last event is so many `days` old; where `ends`
    names types, only those in which one of them has happened. LIFANG_RETENTION_<NAME> sets other days."""
    name: str
    days: int
    heard: tuple[type[Struct], ...] = ()
    own: tuple[str, ...] = ()
    ends: tuple[type[Struct], ...] = ()
