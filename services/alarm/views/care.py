"""Which homes are cared for and how things stand there, and what came of each wellness check? Checks: the newest first."""

from collections.abc import Iterable
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, MetaData, Select, String, Table, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.eventkit.recorded import Recorded
from libs.eventkit.views import Rows, View, Where
from services.alarm.domain.care_history import (
    AbsenceSet,
    CareArranged,
    CareEnded,
    CareResumed,
    CheckAsked,
    CheckEnded,
    HelperAnswered,
    NotReached,
)

State = Literal["under_way", "over"]

HOMES = Table(
    "cared_homes", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("home_id", Uuid, primary_key=True),
    Column("residents", JSONB), Column("terms", JSONB), Column("agreed", String), Column("helpers", JSONB), Column("state", String),
    Column("check_id", Uuid), Column("away_until", DateTime(timezone=True)), Column("edition", Integer))
"""`helpers`: those named, and whether they agreed. `state`: watched, asked, or worried, where a check became an incident."""

CHECKS = Table(
    "wellness_checks", MetaData(),
    Column("community_id", Uuid, primary_key=True),
    Column("check_id", Uuid, primary_key=True),
    Column("home_id", Uuid), Column("state", String), Column("of", String), Column("asked", JSONB), Column("tried", JSONB),
    Column("silent_since", DateTime(timezone=True)), Column("began_at", DateTime(timezone=True)), Column("began_by", Uuid),
    Column("answer_by", DateTime(timezone=True)), Column("how", String), Column("by", Uuid), Column("ended_at", DateTime(timezone=True)),
    Column("position", BigInteger),
    Index("wellness_checks_in_order", "community_id", "position"))

OfHome = CareArranged | HelperAnswered | AbsenceSet | CheckAsked | CheckEnded | CareResumed | CareEnded


def homes_read(event: Any, row: Recorded) -> Iterable[Where]:
    return [{"home_id": event.home_id}] if isinstance(event, OfHome) else []


def project_homes(rows: Rows, event: Any, row: Recorded) -> None:
    if not isinstance(event, OfHome):
        return
    known = rows.get(home_id=event.home_id)
    if isinstance(event, CareEnded):
        rows.remove({"home_id": event.home_id})
    elif isinstance(event, CareArranged):
        rows.put(**_arranged(event, known))
    elif known is not None:
        rows.put(home_id=event.home_id, **_changed(event, known))


def _arranged(event: CareArranged, known: dict[str, Any] | None) -> dict[str, Any]:
    terms = event.terms
    answers = {one["id"]: one["agreed"] for one in known["helpers"]} if known is not None else {}
    helpers = [{"id": str(one), "agreed": answers.get(str(one))} for one in terms.helpers]
    shown = {"least_hours": terms.least, "most_hours": terms.most, "answer_minutes": terms.answer}
    said = {"home_id": event.home_id, "residents": list(map(str, event.residents)), "terms": shown, "agreed": event.agreed}
    new = {"state": "watched", "check_id": None, "away_until": None} if known is None else {}
    return {**said, "helpers": helpers, "edition": event.edition, **new}


def _changed(event: Any, known: dict[str, Any]) -> dict[str, Any]:
    match event:
        case HelperAnswered(helper_id=helper_id, agrees=agrees):
            return {"helpers": [{**one, "agreed": agrees} if one["id"] == str(helper_id) else one for one in known["helpers"]]}
        case AbsenceSet(absence=absence):
            return {"away_until": absence.until if absence.since < absence.until else None}
        case CheckAsked(check_id=check_id):
            return {"state": "asked", "check_id": check_id}
        case CheckEnded(how="unanswered" | "not_well"):
            return {"state": "worried"}
        case _:
            return {"state": "watched", "check_id": None}


def checks_read(event: Any, row: Recorded) -> Iterable[Where]:
    return [{"check_id": event.check_id}] if isinstance(event, CheckAsked | NotReached | CheckEnded) else []


def project_checks(rows: Rows, event: Any, row: Recorded) -> None:
    match event:
        case CheckAsked(check_id=check_id):
            known = rows.get(check_id=check_id)
            said = {"check_id": check_id, "of": event.of, "answer_by": event.answer_by}
            if known is not None:
                rows.put(**said, asked=[*known["asked"], *map(str, event.asked)])
                return
            rows.put(
                **said, home_id=event.home_id, state="under_way", asked=list(map(str, event.asked)), tried=[], began_at=row.recorded_at,
                silent_since=event.silent_since, began_by=event.began_by, position=row.position, how=None, by=None, ended_at=None)
        case NotReached(check_id=check_id, by=by) if (known := rows.get(check_id=check_id)) is not None:
            rows.put(check_id=check_id, tried=[*known["tried"], str(by)])
        case CheckEnded(check_id=check_id) if rows.get(check_id=check_id) is not None:
            rows.put(check_id=check_id, state="over", how=event.how, by=event.by, ended_at=event.at)


HOMES_VIEW = View(table=HOMES, project=project_homes, reads=homes_read)
CHECKS_VIEW = View(table=CHECKS, project=project_checks, reads=checks_read)


def homes_of(after: UUID | None, limit: int) -> Select[Any]:
    query = select(HOMES).order_by(HOMES.c.home_id).limit(limit)
    return query.where(HOMES.c.home_id > after) if after else query


def checks_of(before: int | None, limit: int, home_id: UUID | None = None, state: State | None = None) -> Select[Any]:
    c = CHECKS.c
    query = select(CHECKS).order_by(c.position.desc()).limit(limit)
    query = query.where(c.home_id == home_id) if home_id else query
    query = query.where(c.state == state) if state else query
    return query.where(c.position < before) if before is not None else query
