"""A fire release on real PostgreSQL and Kafka: begun once, told until each device confirms it, ended by people, whatever dies meanwhile."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec.structs import replace

from libs.contracts.devices import DeviceReported
from libs.contracts.fields import SealedField
from libs.contracts.permissions import permissions_of
from libs.eventkit.auth import Principal
from libs.eventkit.privacy import seal
from libs.eventkit.run import web
from libs.eventkit.service import App, Service
from libs.eventkit.timers import Timer
from services.access.api.doors import issue
from services.access.domain.openings import CredentialJudged, DoorOpeningOrdered, DuressSignalled
from services.access.domain.rights import GrantRight
from services.access.main import SERVICE as ACCESS
from services.devices.device_book import book_of
from services.devices.domain.holds import Hold, Untold
from services.devices.domain.registry import RetireDevice
from services.devices.effects import client_of_devices
from services.devices.holding import holds_kept
from services.devices.main import SERVICE as DEVICES
from tests.conftest import Databases
from tests.eventkit.topics import with_topics
from tests.integration.fire_site import Machine, Site, hears
from tests.kit import caught_up, until

HELD, NORMAL = ["held_open", "held_open", "normal", "normal", "recalled"], ["normal"] * 5
RELAYS = (1, 2, 3, 4, 11)
PIN, DURESS_PIN = "20080512", "19830615"


def begin(app: App) -> None:
    with_topics(app)
    app.start_api()
    app.start_worker()
    app.start_relay()
    app.supervisor.start("listen", lambda: app.wake.listen(app.database))


@pytest.fixture
async def site(databases: Databases, community: UUID, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    made, prefix = [], f"t{uuid4().hex[:12]}"
    for service in (ACCESS, DEVICES):
        settings = (await databases.make(service)).model_copy(update={"topic_prefix": prefix})
        made.append(App(service, settings))
        await made[-1].open()
    access, devices = made

    def verify(token: str, now: datetime) -> Principal:
        role, _, where = token.partition(":")
        return Principal(UUID(int=7), role, frozenset({UUID(where) if where else community}), permissions_of(role))

    monkeypatch.setattr(access.verifier, "verify", verify)
    machine = Machine(devices.settings.secret("device-password"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web(access)), base_url="http://access") as client:
        found = Site(access, devices, machine, client, community, uuid4(), uuid4())
        await found.furnish()
        yield found
    await machine.end()
    for app in (found.access, found.devices):
        await app.close()


async def again(site: Site, service: Service = DEVICES) -> None:
    """devices ends, and another process of it begins on the same database."""
    await site.devices.close()
    site.devices = App(service, site.devices.settings)
    await site.devices.open()
    begin(site.devices)


async def answered(site: Site, state: str, answer: str) -> dict[str, Any]:
    async def look() -> Any:
        return next((r for r in await site.list() if r["state"] == state and {x["answer"] for x in r["relays"]} == {answer}), None)

    return dict(await until(look))


async def test_a_verified_fire_opens_its_building_until_a_person_ends_it(site: Site) -> None:
    begin(site.access)
    begin(site.devices)
    await site.machine.on()
    heard = uuid4()
    await site.verified(event_id=heard)
    await until(lambda: site.machine.state(*RELAYS) == HELD)
    shown = await answered(site, "begun", "confirmed")
    assert (shown["id"], shown["building_id"], shown["rule"]) == (str(site.fire), str(site.building), "fire_verified")
    for event_id in (heard, None, None):  # the same event, and twice again under another id
        await site.verified(event_id=event_id)
    await site.verified(further := uuid4())
    await site.once(site.access, "fire_release_joined")
    assert len(await site.said(site.access, "fire_release_begun", "fire_release_joined")) == 2

    assert (await site.ends(site.fire)).json()["code"] == "fire_not_over"
    await site.put_out()
    await site.put_out(further)
    await site.once(site.access, "fire_over", 2)
    assert site.machine.state(*RELAYS) == HELD, "that a fire is over ends nothing"
    assert (await site.ends(site.fire)).status_code == 201
    await until(lambda: site.machine.state(*RELAYS) == NORMAL)
    shown = await answered(site, "ended", "confirmed")
    assert (shown["end_reason"], shown["fires"]) == ("fire_over", [{"incident_id": str(f), "over": True} for f in (site.fire, further)])
    assert (await site.ends(site.fire)).status_code == 201, "twice is silence"
    assert len(await site.said(site.access, "fire_release_ended")) == 1
    assert sorted(site.machine.told) == [
        (1, "alwaysOpen"), (1, "close"), (2, "alwaysOpen"), (2, "close"), (11, "close"), (11, "visitorCallLadder")]


async def test_a_device_that_is_away_is_told_when_it_is_back_and_what_ended_meanwhile_is_told_normal(site: Site) -> None:
    begin(site.access)
    begin(site.devices)
    await site.verified()
    await answered(site, "begun", "failed")
    await site.machine.on()
    await until(lambda: site.machine.state(*RELAYS) == HELD)
    await answered(site, "begun", "confirmed")
    await site.machine.off()
    assert (await site.ends(site.fire, despite_fire=True)).status_code == 201
    await answered(site, "ended", "failed")
    await site.machine.on()
    await until(lambda: site.machine.state(*RELAYS) == NORMAL)
    await answered(site, "ended", "confirmed")


async def test_a_device_that_was_retired_is_tried_no_more_and_its_doors_are_shown_as_never_to_open(site: Site) -> None:
    begin(site.access)
    begin(site.devices)
    await site.verified()
    await answered(site, "begun", "failed")
    await site.devices.commands.handle(site.machine.id, RetireDevice(site.machine.id), site.context())
    assert {(gone.state, gone.releases) for gone in await site.once(site.devices, "hold_device_gone", 3)} == {
        ("held_open", (site.fire,)), ("recalled", (site.fire,))}
    assert (await site.ends(site.fire, despite_fire=True)).status_code == 201
    await site.once(site.devices, "hold_device_gone", 6)
    shown = await answered(site, "ended", "failed")
    assert {relay["reason"] for relay in shown["relays"]} == {"device_retired"}
    await site.machine.on()
    assert site.machine.told == []


async def test_a_door_whose_device_was_retired_is_refused_at_once_and_nothing_is_ordered(site: Site) -> None:
    begin(site.access)
    begin(site.devices)
    gate = next(door.door_id for door in await site.said(site.access, "door_installed") if door.door_no == 4)
    (lift,) = await site.said(site.access, "lift_installed")
    duty = GrantRight(uuid4(), UUID(int=7), "everywhere", "duty")
    await site.access.commands.handle(duty.right_id, duty, site.context())
    await site.devices.commands.handle(site.machine.id, RetireDevice(site.machine.id), site.context())

    async def listed() -> bool:
        answer = await site.client.get("/v1/lifts", headers={"authorization": "Bearer staff"})
        return [lift["device_retired"] for lift in answer.json()["items"]] == [True]

    await until(listed)
    for path, body in ((f"/v1/doors/{gate}/openings", {}), (f"/v1/lifts/{lift.lift_id}/openings", {"floor": 2})):
        answer = await site.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (409, "device_retired")
    assert await site.said(site.access, "door_opening_ordered") == []
    doors = (await site.client.get("/v1/doors", headers={"authorization": "Bearer staff"})).json()["items"]
    assert {door["device_retired"] for door in doors if door["device_id"] == str(site.machine.id)} == {True}
    new = {"name": "side door", "zone": "community", "device_id": str(site.machine.id), "door_no": 9}
    answer = await site.post("/v1/doors", new)
    assert (answer.status_code, answer.json()["code"]) == (409, "device_retired")


async def test_what_ends_before_its_device_ever_answered_is_told_normal_once_and_never_held(site: Site) -> None:
    begin(site.access)
    begin(site.devices)
    await site.verified()
    await answered(site, "begun", "failed")
    assert (await site.ends(site.fire, despite_fire=True)).status_code == 201
    await site.once(site.devices, "hold_wanted", 6)
    await site.machine.on()
    await answered(site, "ended", "confirmed")
    assert sorted(site.machine.told) == [(1, "close"), (2, "close"), (11, "close")]


async def test_a_device_that_hangs_holds_up_no_other_and_is_called_once_at_a_time(site: Site) -> None:
    begin(site.access)
    begin(site.devices)
    await site.machine.on()
    site.machine.terminal.faults = replace(site.machine.terminal.faults, drop=True)
    await site.verified()
    await until(lambda: site.machine.told)
    assert len({(o.door_no, o.received_at) for o in site.machine.terminal.orders}) == 1, "the next waits until it is free"
    other = Site(
        site.access, site.devices, Machine(site.devices.settings.secret("device-password")), site.client, site.community, uuid4(), uuid4())
    await other.furnish()
    await other.machine.on()
    await other.verified()
    asked = len(site.machine.told)
    await until(lambda: other.machine.state(*RELAYS) == HELD)
    assert len(site.machine.told) <= asked + 2
    site.machine.terminal.faults = replace(site.machine.terminal.faults, drop=False)
    await until(lambda: site.machine.state(*RELAYS) == HELD)
    await other.machine.end()


async def not_held_yet(site: Site) -> None:
    """Each wish is in the log of devices and has failed, and nothing was told."""
    begin(site.access)
    begin(site.devices)
    await site.verified()

    async def failed() -> bool:
        return {e.door_no for e in await site.said(site.devices, "hold_failed")} == {1, 2, 11}

    await until(failed)
    assert site.machine.told == []


async def test_a_restart_loses_no_release(site: Site) -> None:
    await not_held_yet(site)
    await again(site)
    await site.machine.on()
    await until(lambda: site.machine.state(*RELAYS) == HELD)
    await answered(site, "begun", "confirmed")
    await site.access.close()
    site.access = App(ACCESS, site.access.settings)
    await site.access.open()
    begin(site.access)
    await site.put_out()
    await site.once(site.access, "fire_over")
    assert site.machine.state(*RELAYS) == HELD


async def test_twin_that_tells_a_hold_once_like_a_pulse_is_caught(site: Site) -> None:
    def once_only(hold: Hold) -> datetime | None:
        return hold.again_at if isinstance(hold, Untold) and not hold.attempts else None

    def timers(app: App) -> tuple[Timer, ...]:
        return (replace(holds_kept(app, book_of(app), client_of_devices()), due=once_only),)

    await not_held_yet(site)
    await site.devices.close()
    await site.machine.on()
    await again(site, replace(DEVICES, timers=timers))
    pool = await site.devices.database.pool()
    await until(lambda: pool.fetchval("select count(*) = 0 from timers where name = 'holds'"))
    assert site.machine.told == [], "nobody will ever tell it"


async def test_a_person_begins_and_ends_it_and_only_in_their_own_community(site: Site) -> None:
    begin(site.access)
    await caught_up(await site.access.database.pool(), "fire_releases")
    body = {"building_id": str(site.building)}
    assert (await site.post("/v1/fire-releases", body, "resident")).status_code == 403
    stranger = f"staff:{uuid4()}"
    assert (await site.post("/v1/fire-releases", body, stranger)).status_code == 404
    begun = await site.post("/v1/fire-releases", body, "guard")
    again_ = await site.post("/v1/fire-releases", body, "staff")
    assert begun.status_code == again_.status_code == 201 and begun.json() == again_.json()
    path = f"/v1/fire-releases/{begun.json()['id']}/endings"
    assert (await site.post(path, {}, stranger)).status_code == 404
    assert (await site.post(f"/v1/fire-releases/{uuid4()}/endings", {})).status_code == 404
    assert (await site.post(path, {"despite": True})).status_code == 422
    assert (await site.post(path, {}, "guard")).status_code == 201

    async def ended() -> Any:
        return next((r for r in await site.list() if r["state"] == "ended"), None)

    shown = await until(ended)
    assert (shown["rule"], shown["begun_by"], shown["end_reason"]) == ("by_hand", str(UUID(int=7)), "fire_over")
    (row,) = await site.access.log.read(0, 5000, ["fire_release_begun"])
    assert str(row.event_id) == shown["event_id"]


async def test_under_duress_the_door_opens_and_says_nothing(site: Site) -> None:
    begin(site.access)
    ann, right = uuid4(), uuid4()
    for n, (number, duress) in enumerate(((PIN, False), (DURESS_PIN, True)), 1):
        await issue(site.access, site.community, UUID(int=n), ann, "pin", number, None, site.context(), duress=duress)
    await site.access.commands.handle(right, GrantRight(right, ann, "community", "residence"), site.context())
    await caught_up(await site.access.database.pool(), "doors", "credentials")
    staff = {"authorization": "Bearer staff"}
    doors = (await site.client.get("/v1/doors", headers=staff)).json()["items"]
    gate = next(d["id"] for d in doors if d["zone"] == "community")
    assert sorted((d["name"], d["evacuation"]) for d in doors) == [(f"door {n}", n != 3) for n in (1, 2, 3, 4)]

    told = [await site.post(f"/v1/doors/{gate}/judgements", {"kind": "pin", "number": n}, "device") for n in (PIN, DURESS_PIN)]
    assert [answer.status_code for answer in told] == [201, 201] and {tuple(a.headers) for a in told} == {tuple(told[0].headers)}
    answers = [answer.json() for answer in told]
    plain, under_duress = ({k: v for k, v in a.items() if k not in ("id", "event_id", "facts")} for a in answers)
    assert plain == under_duress == {"allowed": True, "rule": "residence", "reason": "allowed_by_residence"}
    assert [[f["says"] for f in a["facts"]] for a in answers] == [["door", "credential", "right"]] * 2
    (signal,) = await site.said(site.access, "duress_signalled")
    assert (str(signal.report_id), str(signal.door_id), signal.holder_id, signal.live) == (answers[1]["id"], gate, ann, True)
    listed = (await site.client.get("/v1/credentials", headers=staff)).json()["items"]
    assert [c["duress"] for c in listed] == [False, True] and {c["number"] for c in listed} == {"******"}


async def test_a_terminal_that_waits_opens_for_a_duress_pin_and_history_is_heard_as_history(site: Site) -> None:
    begin(site.access)
    ann, right = uuid4(), uuid4()
    await issue(site.access, site.community, uuid4(), ann, "pin", DURESS_PIN, None, site.context(), duress=True)
    await site.access.commands.handle(right, GrantRight(right, ann, "community", "residence"), site.context())
    for live in (True, False):
        await hears(site.access, "devices", site.community, await entered(site, live))
    await site.once(site.access, "duress_signalled", 2)
    said = await site.said(site.access, "credential_judged", "door_opening_ordered", "duress_signalled")
    assert [type(e) for e in said] == [CredentialJudged, DoorOpeningOrdered, DuressSignalled, CredentialJudged, DuressSignalled]
    assert [e.live for e in said if hasattr(e, "live")] == [True, True, False, False]


async def entered(site: Site, live: bool) -> DeviceReported:
    key, report_id = await site.access.keyring.key_for(site.community, "device:x", "credential"), uuid4()
    box = seal(key.dek, key.key_id, report_id, "card_number", DURESS_PIN)
    return DeviceReported(
        report_id, site.machine.id, "pin_entered", "5/34", None, 1, 4, live, live, datetime.now(UTC), 0.0, (),
        SealedField(box.key_id, box.event_id, box.slot, box.box))
