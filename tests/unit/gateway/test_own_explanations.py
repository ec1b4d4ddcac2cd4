"""Whose event may be explained to a resident, what is named in it, and in which language."""

import asyncio
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
import pytest

from libs.contracts import access, devices, identity, parking
from libs.contracts.fields import SealedField
from libs.contracts.permissions import permissions_of
from libs.eventkit.auth import Principal
from libs.eventkit.db import Ready
from libs.eventkit.recorded import NOWHERE, Catalogue, Recorded
from libs.eventkit.tail import Wake
from services.gateway.api.explanation import is_own, preferred
from services.gateway.chain import asked_for, names_in
from services.gateway.explaining import Known, as_told, explain, only_about
from services.gateway.main import SERVICE
from services.gateway.reach import Viewer
from tests.unit.gateway.fire import DURESS
from tests.unit.gateway.heard import ANN, BEN, BUILDING, COMMUNITY, DEVICE, DOOR, ELSEWHERE, GATE, HOME, NOON, OPENING, heard

STAY, CAR = UUID(int=0x5A), UUID(int=0x5B)
RESIDENT = Principal(ANN, "resident", frozenset({COMMUNITY}), permissions_of("resident"))


class Database:
    """Answers each query about a table with the rows given for it, and has folded everything."""

    def __init__(self, **tables: list[dict[str, Any]]) -> None:
        self.tables, self.asked = tables, list[str]()

    async def fetch(self, communities: list[UUID], query: Any) -> list[dict[str, Any]]:
        assert communities == [COMMUNITY]
        froms = () if isinstance(query, Ready) else query.get_final_froms()
        (table,) = {t.name for t in froms if hasattr(t, "name")} or {"gateway_doors"}
        self.asked.append(table)
        return self.tables.get(table, [])

    async def pool(self) -> Any:
        async def folded(*_: Any) -> bool:
            return True

        async def fetch(query: str, *asked: Any) -> list[Any]:
            by_id = "event_id = any" in query
            return [row for row in self.tables.get("events", []) if (row[5] in asked[0] if by_id else asked[1] in row[9])]

        return SimpleNamespace(fetchval=folded, fetch=fetch)


def site(**tables: list[dict[str, Any]]) -> Any:
    return SimpleNamespace(database=Database(**tables), wake=Wake(), catalogue=Catalogue(SERVICE.contracts))


async def own(event: Any, **tables: list[dict[str, Any]]) -> bool:
    told, row = heard(event)
    return await asyncio.wait_for(is_own(site(**tables), RESIDENT, Known(row, told)), 5)


@pytest.mark.parametrize(("event", "theirs"), [
    (access.DoorOpened(OPENING, GATE, ANN), True), (access.DoorOpened(OPENING, GATE, BEN), False),
    (access.VisitorPassRevoked(STAY, ANN, "staff"), True), (access.VisitorPassRevoked(STAY, BEN, "staff"), False),
    (parking.SessionBegun(STAY, CAR, "ground", ANN, None, None, NOON), True),
    (parking.SessionBegun(STAY, CAR, "ground", BEN, None, None, NOON), False),
    (parking.LotOpened(CAR, "lot", {}), False),
])
async def test_what_names_a_person_is_theirs_alone(event: Any, theirs: bool) -> None:
    assert await own(event) is theirs


@pytest.mark.parametrize(("rows", "theirs"), [([{"person_id": ANN}], True), ([{"person_id": BEN}], False), ([], False)])
async def test_what_came_of_an_opening_or_a_stay_is_of_whom_it_was_for(rows: list[dict[str, Any]], theirs: bool) -> None:
    for event in (devices.DoorOrderCarriedOut(OPENING, DEVICE, 1), devices.DoorOrderFailed(OPENING, DEVICE, 1, "expired")):
        assert await own(event, gateway_door_events=rows) is theirs
    for event in (parking.PaymentReceived(STAY, CAR, 5), parking.Billed(STAY, "A", 1, NOON, 0, 0, ())):
        assert await own(event, gateway_stays=rows) is theirs


async def test_a_stay_is_of_whom_it_was_found_to_be_and_not_of_whom_it_began_with() -> None:
    for began_with, found in ((ANN, BEN), (BEN, ANN)):
        begun = parking.SessionBegun(STAY, CAR, "ground", began_with, None, None, NOON)
        assert await own(begun, gateway_stays=[{"person_id": found}]) is (found == ANN)


async def test_what_concerns_nobody_is_theirs_at_their_doors() -> None:
    for door, theirs in ((GATE, True), (DOOR, False)):
        noticed = access.DoorNoticed(door, "forced", "5:21", True, NOON)
        assert await own(noticed, gateway_doors=[{"door_id": GATE}]) is theirs


@pytest.mark.parametrize(("header", "language"), [
    ("zh-CN,en;q=0.5", "zh"), (" ZH", "zh"), ("en,zh;q=0.5", "en"), ("", "en"), ("de", "en")])
def test_chinese_for_whoever_asks_for_it_first(header: str, language: str) -> None:
    assert preferred({"accept-language": header}) == language


@pytest.mark.parametrize("homes", [True, False])
async def test_homes_are_named_to_whoever_may_know_who_lives_where_and_doors_to_everybody(homes: bool) -> None:
    app = site(gateway_places=[{"id": HOME, "name": "1-1-101"}], gateway_doors=[{"id": GATE, "name": "Gate"}])
    said = (access.DoorOpened(OPENING, GATE, ANN), identity.ResidenceStarted(STAY, ANN, HOME, BUILDING, 1, "owner", NOON.date()))
    named = await names_in(app, COMMUNITY, [Known(row, event) for event, row in map(heard, said)], homes)
    assert (named.get(GATE), named.get(HOME)) == ("Gate", "1-1-101" if homes else None)


def stored(row: Recorded) -> list[Any]:
    number = row.number
    assert number is not None
    return [row.position, row.generation, row.community_id, None, None, row.event_id, row.type, row.schema, row.data,
            msgspec.json.encode(row.meta).decode(), row.source, number.generation, number.position, number.n, row.recorded_at]


@pytest.mark.parametrize(("community", "found"), [(COMMUNITY, True), (ELSEWHERE, False), (NOWHERE, False)])
async def test_only_what_happened_in_the_community_is_explained_there(community: UUID, found: bool) -> None:
    event, row = heard(access.DoorOpened(OPENING, GATE, ANN), community_id=community)
    asked = await asked_for(site(events=[stored(row)]), COMMUNITY, row.event_id)
    assert (asked is not None and asked.event == event) is found


def about(subject: UUID, event: Any, position: int) -> Recorded:
    row = heard(event, position)[1]
    return msgspec.structs.replace(row, meta=msgspec.structs.replace(row.meta, subject=f"opening:{subject}"))


@pytest.mark.parametrize("duress", [True, False])
async def test_a_pin_under_duress_is_explained_as_any_other_though_the_silent_alarm_has_the_same_id(duress: bool) -> None:
    """A terminal that lets people in by itself: nothing was ordered, and the alarm has the id of its report."""
    judged = about(OPENING, access.CredentialJudged(GATE, "pin", True, "residence", "allowed_by_residence", (), ANN, True), 2)
    threatened = about(OPENING, access.DuressSignalled(OPENING, GATE, ANN, True, NOON), 3)
    alarmed = heard(msgspec.structs.replace(DURESS, incident_id=OPENING), 1)[1]
    events = [stored(row) for row in ((alarmed, judged, threatened) if duress else (judged,))]
    app = site(events=events, gateway_stories=[{"event_id": alarmed.event_id}] if duress else [])
    asked = await asked_for(app, COMMUNITY, OPENING, partial(is_own, app, RESIDENT))
    assert asked is not None and asked.row.event_id == judged.event_id
    everything = await asked_for(app, COMMUNITY, OPENING)
    assert everything is not None and everything.row.event_id == (alarmed if duress else judged).event_id
    for secret in (alarmed, threatened):
        assert await asked_for(app, COMMUNITY, secret.event_id, partial(is_own, app, RESIDENT)) is None


def test_by_which_pin_a_door_opened_is_not_explained_to_its_resident() -> None:
    """A duress PIN has an event of its own: whoever compares two openings must find nothing."""
    issued = heard(access.CredentialIssued(STAY, ANN, "pin"), 1)
    granted = heard(access.RightGranted(CAR, ANN, "community", "residence"), 2)
    facts = tuple(access.Fact(row.event_id, says) for (_, row), says in ((issued, "credential"), (granted, "right")))
    judged, caused_by = access.CredentialJudged(GATE, "pin", True, "residence", "x", facts, ANN, True), [f.event_id for f in facts]
    passed = access.DoorPassed(GATE, "pin", ANN, True, True, NOON)
    told = [issued, granted, heard(judged, 3, caused_by=caused_by), heard(passed, 4, caused_by=caused_by)]
    known = {row.event_id: Known(row, event) for event, row in told}
    shown = as_told(Viewer(COMMUNITY, ANN, False), known)
    assert set(shown) == {row.event_id for _, row in told[1:]}
    said = explain(told[2][1].event_id, told[2][1].event_id, shown, {})
    assert str(issued[1].event_id) not in str(said) and str(granted[1].event_id) in str(said)
    by_card: dict[Any, Any] = {type(event): msgspec.structs.replace(event, means="card") for event in (judged, passed)}
    by_card[access.CredentialIssued] = msgspec.structs.replace(issued[0], kind="card")
    card = {i: Known(k.row, by_card.get(type(k.event), k.event)) for i, k in known.items()}
    assert issued[1].event_id in as_told(Viewer(COMMUNITY, ANN, False), card)


def test_a_vehicle_that_nobody_keeps_is_told_of_to_its_home_alone() -> None:
    registered = heard(identity.VehicleRegistered(CAR, HOME, None, SealedField(CAR, CAR, "plate", "box"), "small", True), 1)
    begun = heard(parking.SessionBegun(STAY, CAR, "ground", ANN, CAR, None, NOON), 2, caused_by=[registered[1].event_id])
    known, of = {row.event_id: Known(row, event) for event, row in (registered, begun)}, begun[1].event_id
    for homes, told in (((), {of}), ((HOME,), set(known)), ((BUILDING,), {of})):
        kept = only_about(Viewer(COMMUNITY, ANN, False, homes=frozenset(homes)), known)
        assert set(kept) == told and ("3-2-501" in str(explain(of, of, kept, {HOME: "3-2-501"}))) is (len(told) > 1)


CHANGED = ("The right under which the stay of person …00000a counts has changed.", "人员…00000a的停车所依据的权限已变更。")


@pytest.mark.parametrize(("cause", "english", "chinese"), [
    (parking.FindingSettled(CAR, "chosen"), "It was found out whose vehicle it is", "已认定车辆属于"),
    (parking.PermitHeld(CAR, None, ANN, None, NOON, None, None, False), *CHANGED), (None, *CHANGED),
], ids=["finding", "permit", "list"])
def test_a_stay_is_found_out_by_a_person_and_otherwise_its_right_has_changed(cause: Any, english: str, chinese: str) -> None:
    before = [heard(cause, 1)] if cause is not None else []
    told = [*before, heard(parking.SessionRecognised(STAY, ANN, CAR, None), 2, caused_by=[row.event_id for _, row in before])]
    known, of = {row.event_id: Known(row, event) for event, row in told}, told[-1][1].event_id
    assert explain(of, of, known, {})["text"][0].startswith(english) and explain(of, of, known, {}, "zh")["text"][0].startswith(chinese)
