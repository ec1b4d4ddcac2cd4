from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from libs.eventkit.envelope import LARGEST
from libs.eventkit.recorded import Catalogue, Recorded
from libs.eventkit.views import Row, View
from services.parking.domain.findings import FindingRaised, FindingSettled
from services.parking.domain.passages import PassageCompleted, PassageFailed, PassageJudged
from services.parking.domain.plate_rights import PlateRightEnded, RenewalAsked, RenewalPaid
from services.parking.domain.published_tariffs import by_the_day, nine_seats_large, nine_seats_small, qinzhou_zone_1, residential_visitors
from services.parking.domain.sessions import SESSIONS, AskPayment, EndSession
from services.parking.domain.stays import PaymentReceived, RightAssigned, SessionEnded, SessionQuarantined, Under
from services.parking.domain.tariffs import Adoption
from services.parking.main import SERVICE
from services.parking.publishing import publish
from services.parking.views import findings, lanes, rights, sessions
from tests.kit import folded, recorded
from tests.unit.parking.samples import (
    ADOPTIONS,
    ANN,
    BEGUN,
    FINDING,
    GRANTED,
    HOUR,
    INSTALLED,
    LANE,
    LOT,
    NOW,
    OPENED,
    PASSAGE,
    PAYMENT,
    RIGHT,
    SEEN,
    SESSION,
    UNDER,
    YES,
    deciding,
)

HERE = UUID(int=60)
when = deciding(SESSIONS)
OVER = SessionEnded(SESSION, LOT, "ground", "exit", NOW + HOUR, 400, 400, None, None)
STORY: tuple[Any, ...] = (
    OPENED, INSTALLED, replace(INSTALLED, name="West"), GRANTED, replace(GRANTED, right_id=UUID(int=44)),
    PlateRightEnded(UUID(int=44), "permit", LOT, "by_staff"), PassageJudged(PASSAGE, INSTALLED, SEEN, YES),
    PassageFailed(PASSAGE, "unknown"), PassageCompleted(PASSAGE, "barrier"), BEGUN, RightAssigned(SESSION, UNDER),
    PaymentReceived(SESSION, PAYMENT, 150, "t1"), PaymentReceived(SESSION, RIGHT, 250, "t2"),
    SessionQuarantined(SESSION, LOT, "ground", "entered_again"), OVER,
    FindingRaised(FINDING, "look_alike", LANE, candidates=(RIGHT,)),
    FindingSettled(FINDING, "chosen", RIGHT, UUID(int=45), "seen"))


def log(*events: Any) -> list[Recorded]:
    return [
        recorded(e, HERE, position=n, stream="x:1", version=n, at=NOW + timedelta(seconds=n)) for n, e in enumerate(events, 1)]


def rows(view: View, *events: Any) -> list[Row]:
    once, again = (folded(view, Catalogue(SERVICE.events), log(*(events or STORY))) for _ in range(2))
    assert once == again
    return once.get(HERE, [])


@pytest.mark.parametrize("view", SERVICE.views, ids=lambda view: view.name)
def test_a_projection_reads_every_row_that_it_changes_and_comes_out_the_same_again(view: View) -> None:
    assert len(rows(view)) == 1
    for n in range(1, len(STORY)):
        event, before, after = STORY[n], rows(view, *STORY[:n]), rows(view, *STORY[: n + 1])
        wheres = list(view.reads(event, log(event)[0]))
        changed = [row for row in (*before, *after) if (row in before) != (row in after)]
        assert all(any(all(row[c] == str(v) for c, v in where.items()) for where in wheres) for row in changed)


def test_a_stay_is_listed_with_its_right_what_was_paid_and_how_it_stands() -> None:
    assert [rows(sessions.VIEW, *STORY[:n])[0]["state"] for n in (10, 14, 15)] == ["inside", "quarantined", "ended"]
    (row,) = rows(sessions.VIEW)
    assert (row["kind"], row["total"], row["paid"], row["exited_at"], row["position"]) == (
        "permit", 400, 400, "2026-03-01T09:00:00Z", 10)
    assert [rows(sessions.VIEW, begun)[0]["kind"] for begun in (BEGUN, replace(BEGUN, under=UNDER))] == ["tariff", "permit"]


def test_a_stay_is_listed_with_its_owner_also_under_a_right_that_names_nobody() -> None:
    listed = RightAssigned(SESSION, Under(RIGHT, "white"))
    (row,) = rows(sessions.VIEW, replace(BEGUN, under=replace(UNDER, person_id=ANN)), listed)
    assert (row["kind"], row["person_id"]) == ("white", str(ANN))


def test_a_passage_is_listed_with_what_became_of_it() -> None:
    assert [rows(lanes.PASSAGES_VIEW, *STORY[:n])[0]["outcome"] for n in (7, 8, 9)] == [None, "unknown", "barrier"]


def test_a_lane_is_listed_as_it_is_now_and_a_right_until_it_ends() -> None:
    assert [(r["name"], r["version"]) for r in rows(lanes.LANES_VIEW)] == [("West", 3)]
    assert [r["right_id"] for r in rows(rights.VIEW)] == [str(RIGHT)]


def test_a_right_is_listed_with_the_version_that_whoever_changes_it_has_to_have_seen() -> None:
    asked = RenewalAsked(RIGHT, PAYMENT, 1, 15_000, NOW, "Asia/Shanghai")
    story = (GRANTED, asked, RenewalPaid(RIGHT, PAYMENT, 15_000, "t1", True), replace(GRANTED, valid_until=NOW))
    assert [rows(rights.VIEW, *story[:n])[0]["version"] for n in range(1, 5)] == [1, 2, 3, 4]
    assert rows(rights.VIEW, GRANTED, PlateRightEnded(RIGHT, "permit", LOT, "by_staff"), asked) == []


def test_a_finding_is_listed_with_how_it_was_settled() -> None:
    (row,) = rows(findings.VIEW)
    assert (row["how"], row["note"], row["candidates"]) == ("chosen", "seen", [str(RIGHT)])
    assert row["settled_at"] == "2026-03-01T08:00:17Z"
    assert rows(findings.VIEW, *STORY[:16])[0]["settled_at"] is None


def test_what_was_left_behind_for_ten_years_is_told_to_others_whatever_the_tariff() -> None:
    for tariff in (qinzhou_zone_1(), nine_seats_small(), residential_visitors(), nine_seats_large(), by_the_day({"small": 1000}, 1800)):
        adoptions, now = (Adoption(tariff, date(2020, 1, 1)),), NOW + timedelta(days=3653)
        (asked,) = when(AskPayment(SESSION, PAYMENT, adoptions, now), BEGUN)
        (ended,) = when(EndSession(SESSION, now, adoptions), BEGUN)
        for event in (asked, ended):
            bodies = [event, *(said.body for said in publish(event, log(event)[0]))]
            assert max(len(msgspec.json.encode(body)) for body in bodies) < LARGEST // 10


def test_others_hear_of_a_stay_its_bill_first_and_never_a_plate() -> None:
    (asked,) = when(AskPayment(SESSION, PAYMENT, ADOPTIONS, NOW + 3 * HOUR), BEGUN)
    paid = (BEGUN, asked, PaymentReceived(SESSION, PAYMENT, 400, "t1"))
    (ended,) = when(EndSession(SESSION, NOW + 3 * HOUR + timedelta(minutes=9), ADOPTIONS), *paid)
    row = log(ended)[0]
    billed, over = (said.body for said in publish(ended, row))
    assert (billed.until, billed.total, billed.paid) == (NOW + 3 * HOUR, 400, 400)  # type: ignore[attr-defined]
    assert (over.exited_at, over.total) == (NOW + 3 * HOUR + timedelta(minutes=9), 400)  # type: ignore[attr-defined]
    assert len(publish(OVER, row)) == 1
    assert all(b"box" not in str(said.body).encode() for event in (*STORY, *paid, ended) for said in publish(event, row))
