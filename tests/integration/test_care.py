"""Care for who lives alone on a real database: a check goes round until somebody answers, and what is seen at a door ends it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from libs.contracts import access, identity
from libs.eventkit.hear import Hearing
from libs.eventkit.service import App
from services.alarm.domain.care import ArrangeCare
from services.alarm.domain.care_history import CareEnded, CheckAsked, CheckEnded, HelperAnswered, Terms
from services.alarm.domain.incident_history import IncidentRaised, IncidentRepeated, IncidentRestored
from services.alarm.domain.signs import SignOfLife
from tests.integration.alarm_desk import ANN, BEN, BUILDING, DOOR, GUARD, HOME, Desk, context, desk_at
from tests.kit import until

AppOf = Callable[..., Awaitable[App]]
CID, BEFORE = uuid4(), timedelta(hours=72)
NOW = datetime.now(UTC)


@pytest.fixture
async def desk(app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """Ann lives alone at home, Ben and Cid elsewhere in the building; nobody hears from Kafka, and nothing is night."""
    monkeypatch.setattr(Hearing, "lag", lambda self: 0)
    monkeypatch.setattr("services.alarm.domain.care_history.by_day", lambda at, zone: at)
    async with desk_at(app_of, community, monkeypatch) as found:
        other = uuid4()
        await found.hears(
            identity.CommunityFounded(community, "里坊", "310104", "Asia/Shanghai"), identity.HomeRegistered(other, BUILDING, 1, "1-1-101"),
            *(identity.ResidenceStarted(uuid4(), one, other, BUILDING, 1, "owner", date(2026, 1, 1)) for one in (BEN, CID)))
        yield found


async def arranged(desk: Desk, ago: timedelta, helpers: tuple[UUID, ...] = (), answer: int = 30) -> None:
    """So long ago, as if nobody had been noticed since."""
    command = ArrangeCare(HOME, (ANN,), Terms(12, 48, answer, tuple(sorted(helpers))), "UTC", "in_writing", GUARD, datetime.now(UTC) - ago)
    await desk.app.commands.handle(HOME, command, replace(context(desk.community), now=command.now))


async def agree(desk: Desk, *helpers: UUID) -> None:
    for helper in helpers:
        await desk.ask("PUT", f"/me/helping/{HOME}", f"resident:{helper}", {"agrees": True})


async def stands(desk: Desk, state: str) -> Any:
    async def look() -> Any:
        return next((home for home in (await desk.get("/care"))["items"] if home["state"] == state), None)

    return await until(look)


async def passes(desk: Desk, person: UUID, at: datetime) -> None:
    await desk.hears(access.DoorPassed(DOOR, "card", person, True, True, at))


async def answers(desk: Desk, who: str, said: str, check_id: Any, status: int = 201) -> Any:
    return await desk.ask("POST", f"/care/{HOME}/answers", who, {"check_id": str(check_id), "answer": said}, status)


async def begun(desk: Desk) -> str:
    return str((await desk.ask("POST", f"/care/{HOME}/checks", "guard", {"ask": "neighbours"}, 201)).json()["id"])


async def queue(desk: Desk) -> list[dict[str, Any]]:
    return list((await desk.get("/incidents"))["items"])


async def test_a_silent_home_is_asked_then_its_neighbours_and_then_whoever_is_on_duty(desk: Desk) -> None:
    await arranged(desk, BEFORE, (BEN, CID))
    found = await stands(desk, "asked")
    assert found["helpers"] == [{"id": str(one), "agreed": None} for one in sorted((BEN, CID))]
    (check,) = (await desk.get("/wellness-checks?state=under_way"))["items"]
    assert (check["of"], check["asked"], check["began_by"]) == ("home", [str(ANN)], None)
    mine = (await desk.get("/me/care", f"resident:{ANN}"))["homes"][0]
    assert (mine["check"]["id"], mine["state"], mine["usual_minutes"]) == (check["id"], "asked", 48 * 60)
    await agree(desk, BEN, CID)
    assert (await desk.get("/me/care", f"resident:{BEN}"))["helping"][0]["check"] is None, "those who live there are asked first"
    await answers(desk, "guard", "well", check["id"])
    await stands(desk, "watched")
    begun = await desk.ask("POST", f"/care/{HOME}/checks", "guard", {"ask": "neighbours"}, 201)
    check_id = begun.json()["id"]
    helping = (await desk.get("/me/care", f"resident:{BEN}"))["helping"][0]
    assert (helping["check"]["id"], helping["label"], helping["agreed"]) == (check_id, "1-2-303", True)
    for helper in (BEN, CID):
        assert await queue(desk) == []
        await answers(desk, f"resident:{helper}", "not_reached", check_id)
    await stands(desk, "worried")

    async def raised() -> Any:
        return await queue(desk)

    (incident,) = await until(raised)
    assert (incident["id"], incident["kind"], incident["severity"], incident["code"]) == (check_id, "medical", "high", "care:unanswered")
    assert incident["place"]["home_id"] == str(HOME) and incident["raised_by"] is None
    await desk.does(check_id, "acknowledgements", {})
    await desk.does(check_id, "verifications", {"how": "on_site"})
    await desk.does(check_id, "resolutions", {"how": "nothing_found"})
    assert (await stands(desk, "watched"))["check_id"] is None
    await desk.settled()
    shown = (await desk.get("/wellness-checks"))["items"]
    assert [(c["how"], c["by"]) for c in shown] == [("unanswered", None), ("well", str(GUARD))]
    assert shown[0]["tried"] == [str(BEN), str(CID)] and shown[0]["began_by"] == str(GUARD)


async def test_what_is_seen_at_a_door_ends_a_check_and_moves_the_next_one(desk: Desk) -> None:
    await arranged(desk, BEFORE)
    await stands(desk, "asked")
    await passes(desk, BEN, datetime.now(UTC))
    await desk.settled()
    await stands(desk, "asked")
    await passes(desk, ANN, was := datetime.now(UTC) - timedelta(hours=1))
    await stands(desk, "watched")
    await desk.settled()
    assert [sign.at for sign in await desk.said(SignOfLife)] == [was], "of nobody else a sign is kept"

    async def counted() -> Any:
        shown = await desk.get(f"/care/{HOME}")
        return shown["silent_since"] == was.isoformat().replace("+00:00", "Z")

    await until(counted)
    await passes(desk, ANN, was + timedelta(minutes=3))
    await desk.settled()
    assert len(await desk.said(SignOfLife)) == 1 and [c.how for c in await desk.said(CheckEnded)] == ["sign"]


async def test_a_sign_that_proves_no_less_than_the_silence_does_not_end_the_asking(desk: Desk) -> None:
    """What a terminal had kept is told late: they were there fifty hours ago, which is still too long."""
    await arranged(desk, BEFORE)
    await stands(desk, "asked")
    await passes(desk, ANN, datetime.now(UTC) - timedelta(hours=50))

    async def again() -> Any:
        asked = await desk.said(CheckAsked)
        return asked if len(asked) == 2 else None

    first, second = await until(again)
    assert first.check_id != second.check_id and second.silent_since > first.silent_since


async def test_an_unanswered_check_is_well_with_a_sign_of_life_but_people_end_its_incident(desk: Desk) -> None:
    await arranged(desk, timedelta(hours=1), (BEN,))
    await desk.ask("POST", f"/care/{HOME}/checks", "guard", {"ask": "neighbours"}, 409)
    await agree(desk, BEN)
    check_id = await begun(desk)
    await desk.ask("POST", f"/care/{HOME}/checks", "guard", {}, 409)
    await answers(desk, f"resident:{BEN}", "not_reached", check_id)
    assert (await answers(desk, f"resident:{BEN}", "well", check_id, 409)).json()["code"] == "check_over"
    await stands(desk, "worried")
    await passes(desk, ANN, datetime.now(UTC))
    await stands(desk, "watched")

    async def well() -> Any:
        found = await queue(desk)
        return found if found and not found[0]["active"] else None

    (incident,) = await until(well)
    assert (incident["severity"], incident["code"], incident["state"]) == ("high", "care:unanswered", "raised")
    assert len(await desk.said(IncidentRestored)) == 1
    await answers(desk, f"resident:{BEN}", "not_reached", await begun(desk))

    async def repeated() -> Any:
        return await desk.said(IncidentRepeated)

    assert (await until(repeated))[0].count == 2 and len(await desk.said(IncidentRaised)) == 1
    await stands(desk, "worried")
    await desk.does(incident["id"], "acknowledgements", {})
    await desk.does(incident["id"], "false-alarms", {"cause": "unknown"})
    await stands(desk, "watched")


async def test_not_well_is_an_incident_at_once_and_no_door_makes_it_well(desk: Desk) -> None:
    await arranged(desk, timedelta(hours=1), (BEN,))
    await agree(desk, BEN)
    check_id = await begun(desk)
    await answers(desk, f"resident:{BEN}", "not_well", check_id)

    async def raised() -> Any:
        return await queue(desk)

    (incident,) = await until(raised)
    assert (incident["id"], incident["severity"], incident["code"], incident["raised_by"]) == (
        check_id, "critical", "care:not_well", str(BEN))
    await passes(desk, ANN, datetime.now(UTC))
    await desk.settled()
    assert (await queue(desk))[0]["active"] and await desk.said(IncidentRestored) == []
    await stands(desk, "worried")


async def test_care_ends_when_they_have_moved_out_and_neighbours_who_leave_are_asked_no_more(desk: Desk) -> None:
    await arranged(desk, timedelta(hours=1), (BEN, CID))
    await agree(desk, BEN, CID)
    await desk.hears(identity.PersonLeft(BEN, NOW))
    await desk.settled()
    assert [e.helper_id for e in await desk.said(HelperAnswered) if not e.agrees] == [], "who is back by now still helps"
    rows = [e for e in await desk.said(identity.ResidenceStarted) if e.resident_id in (ANN, BEN)]
    ends = {e.resident_id: identity.ResidenceEnded(e.residence_id, e.resident_id, e.home_id, BUILDING, date(2026, 3, 1)) for e in rows}
    await desk.hears(ends[BEN], identity.PersonLeft(BEN, NOW), identity.ResidentErased(CID, CID, "own_wish"))
    await desk.settled()
    assert {e.helper_id for e in await desk.said(HelperAnswered) if not e.agrees} == {BEN, CID}
    await desk.hears(ends[ANN])
    await desk.settled()
    assert [(e.why, e.by) for e in await desk.said(CareEnded)] == [("moved_out", None)]
    assert (await desk.get("/care"))["items"] == []
    await desk.ask("GET", f"/care/{HOME}", "guard", status=404)


async def test_nobody_is_asked_while_what_others_have_said_is_not_heard(
    app_of: AppOf, community: UUID, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a long stop all is due at once, and the signs of life are still on their way: the silence is ours."""
    behind = [-1]
    monkeypatch.setattr(Hearing, "lag", lambda self: behind[0])
    monkeypatch.setattr("services.alarm.domain.care_history.by_day", lambda at, zone: at)
    async with desk_at(app_of, community, monkeypatch) as desk:
        await arranged(desk, BEFORE)
        pool = await desk.app.database.pool()

        async def tried() -> Any:
            return await pool.fetchval("select count(*) from timers where name = 'homes_to_look_after'")

        await until(tried)
        for behind[0] in (-1, 5000):
            await passes(desk, BEN, datetime.now(UTC))
            await desk.settled()
            assert await desk.said(CheckAsked) == []
        behind[0] = 0
        await stands(desk, "asked")


async def test_what_staff_and_those_who_live_there_arrange_and_what_is_refused(desk: Desk) -> None:
    care, me = f"/care/{HOME}", f"resident:{ANN}"
    body = {"agreed": "in_writing", "helpers": [str(BEN)]}
    key = {"idempotency-key": "arranged"}
    made = await desk.ask("PUT", care, "staff", body, **key)
    assert made.headers["etag"] == '"1"'
    for wrong, code in (
            ({**body, "helpers": [str(uuid4())]}, "helper_not_a_resident"), ({**body, "helpers": [str(ANN)]}, "helper_lives_there"),
            ({**body, "least_hours": 48, "most_hours": 24}, "hours_out_of_order")):
        assert (await desk.ask("PUT", care, "staff", wrong, 409)).json()["code"] == code
    shorter = {**body, "most_hours": 24}
    assert (await desk.ask("PUT", care, "staff", shorter, 412, **{"if-match": '"7"'})).json()["code"] == "version_mismatch"
    assert (await desk.ask("PUT", care, "staff", shorter, **{"if-match": '"1"'})).headers["etag"] == '"2"'
    assert (await desk.ask("PUT", f"/me{care}", me, {"helpers": [str(CID)]}, 409)).json()["code"] == "helper_not_named"
    mine = await desk.ask("PUT", f"/me{care}", me, {"least_hours": 20, "helpers": []})
    assert mine.headers["etag"] == '"3"'
    shown = await desk.get(care)
    assert (shown["agreed"], shown["helpers"], shown["terms"]["least_hours"], shown["edition"]) == ("self", [], 20, 3)
    until_ = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    await desk.ask("PUT", f"/me{care}/absence", me, {"until": until_})
    assert (await desk.get("/me/data", me))["homes"][0]["away_until"] is not None
    stranger, elsewhere = f"resident:{CID}", f"staff:{uuid4()}:{uuid4()}"
    for method, path, who, what in (
            ("PUT", f"/me{care}", stranger, {}), ("DELETE", f"/me{care}", stranger, None),
            ("PUT", f"/me{care}/absence", stranger, {"until": None}),
            ("PUT", f"/me/helping/{HOME}", stranger, {"agrees": True}), ("PUT", care, elsewhere, body), ("DELETE", care, elsewhere, None),
            ("GET", care, elsewhere, None), ("POST", f"{care}/checks", elsewhere, {})):
        await desk.ask(method, path, who, what, 404)
    assert (await desk.get("/me/care", stranger)) == {"homes": [], "helping": []}
    await desk.ask("DELETE", f"/me{care}", me, status=204)
    await desk.ask("DELETE", f"/me{care}", me, status=404)
    await desk.ask("DELETE", care, "staff", status=204)
    again = await desk.ask("PUT", care, "staff", body, **key)
    assert again.headers["etag"] == '"1"', "the same answer, whatever has come of it since"
    assert [(e.why, e.by) for e in await desk.said(CareEnded)] == [("resident", ANN)]
