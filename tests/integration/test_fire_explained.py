"""A fire explained from a real log: asked for by any of its ids, with hundreds told, and to whom it concerns."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from msgspec import Struct, json

from libs.contracts import access, identity, neighbors
from libs.contracts.permissions import permissions_of
from libs.eventkit.auth import Principal
from libs.eventkit.envelope import Heard
from libs.eventkit.hear import _CALL, _columns
from libs.eventkit.recorded import Meta, Number, tag_of
from libs.eventkit.run import web
from libs.eventkit.service import App
from libs.eventkit.subscriptions import follow
from libs.eventkit.views import follow_views
from services.gateway.api.live import follow as follow_live
from services.gateway.main import SERVICE
from services.gateway.reactions import NAME
from services.gateway.tail import Shown
from services.gateway.viewing import seen_by
from tests.kit import caught_up, until
from tests.unit.gateway.fire import BROADCAST, DURESS, ID, INCIDENT, INSTALLED, RELEASE, STORY, THREATENED
from tests.unit.gateway.heard import ANN, BEN, BUILDING, GATE, HOME, NOON

PEOPLE, MISSED = 467, 3
CARL, FAR, ELSEWHERE = uuid4(), uuid4(), uuid4()


class Site(Struct):
    app: App
    community: UUID
    client: httpx.AsyncClient
    last: dict[str, int] = {}

    async def hear(self, *told: tuple[UUID, Struct, tuple[UUID, ...]]) -> None:
        rows = []
        for event_id, event, because in told:
            source = tag_of(event).partition(".")[0]
            number = self.last.get(source, 0)
            self.last[source] = number + 1
            rows.append((self.app.settings.topic(source), Heard(
                self.community, Number(1, number + 1, 0), Number(1, number, 0) if number else Number(), event_id, tag_of(event), 1,
                json.encode(event).decode(), Meta(source_time=NOON, subject=f"thing:{uuid4()}", caused_by=because))))
        sources = {self.app.settings.topic(s): s for s in SERVICE.hears}
        await (await self.app.database.pool()).fetchval(_CALL, *_columns(rows, sources))
        self.app.wake()

    async def explained(self, of: UUID, who: str = "staff", status: int = 200) -> Any:
        answer = await self.client.get(f"/v1/events/{of}/explanation", headers={"authorization": f"Bearer {who}"})
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
async def site(app_of: Callable[..., Awaitable[App]], community: UUID, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    app = await app_of(SERVICE)

    def verify(token: str, now: Any) -> Principal:
        role, _, person = token.partition(":")
        return Principal(UUID(person) if person else UUID(int=7), role, frozenset({community}), permissions_of(role))

    monkeypatch.setattr(app.verifier, "verify", verify)
    reaction = next(s for s in app.subscriptions if s.name == NAME)
    app.supervisor.start(NAME, lambda: follow(app.log, app.wake, reaction))
    app.supervisor.start("views", lambda: follow_views(app.log, app.wake, app.catalogue, SERVICE.views))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web(app)), base_url="http://gateway") as client:
        found = Site(app, community, client)
        homes = [(ANN, HOME, BUILDING), (BEN, uuid4(), BUILDING), (CARL, FAR, ELSEWHERE)]
        await found.hear(
            *((uuid4(), event, ()) for event in INSTALLED),
            *((uuid4(), identity.ResidenceStarted(uuid4(), p, h, b, 1, "owner", date(2024, 1, 1)), ()) for p, h, b in homes))
        story = [(ID[name], event, tuple(ID[c] for c in because)) for name, event, because in STORY]
        many = [*(neighbors.ResidentTold(BROADCAST, uuid4(), "push") for _ in range(PEOPLE - MISSED - 1)),
                *(neighbors.ResidentNotTold(BROADCAST, uuid4(), "push", "given_up") for _ in range(MISSED - 1))]
        middle = 1 + next(n for n, (i, _, _) in enumerate(story) if i == ID["not told ben"])
        await found.hear(*story[:middle], *((uuid4(), event, (ID["sent"],)) for event in many), *story[middle:])
        await found.hear((uuid4(), THREATENED, ()), (DURESS.incident_id, DURESS, ()))

        async def told() -> bool:
            pool = await app.database.pool()
            return bool(await pool.fetchval("select count(*) from events where type = 'incident_progressed'") == 4)

        await until(told)
        await caught_up(await app.database.pool(), *(view.name for view in SERVICE.views))
        yield found


async def test_the_end_is_explained_across_all_services_though_hundreds_were_told(site: Site) -> None:
    for asked in ("resolved", "ended", "clear"):
        found = await site.explained(ID[asked])
        assert {entry["service"] for entry in found["chain"]} == {"devices", "alarm", "access", "neighbors", "gateway"}
        loose = [entry["type"] for entry in found["chain"] if not entry["because"]]
        assert loose == ["devices.panel_signalled"] and len(found["chain"]) < 60
        assert [entry["type"] for entry in found["chain"]].count("neighbors.resident_told") == 2, "the first and the last"


async def test_it_is_asked_for_by_the_id_of_the_incident_the_release_or_the_broadcast(site: Site) -> None:
    for of, asked in ((INCIDENT, "raised"), (RELEASE, "begun"), (BROADCAST, "sent")):
        by_id, by_event = await site.explained(of), await site.explained(ID[asked])
        assert by_id["of"] == str(of) and by_id["text"] == by_event["text"]
    (figures,) = [line for line in (await site.explained(INCIDENT))["text"] if line.startswith(f"Of {PEOPLE} people")]
    assert figures.startswith(f"Of {PEOPLE} people {PEOPLE - MISSED} were told, {MISSED} were not told (given up after many attempts: 2,"
                              " there is no channel to them: 1).")
    chain = {entry["event_id"] for entry in (await site.explained(INCIDENT))["chain"]}
    assert len(cited := re.findall(r"\[([0-9a-f-]{36})\]", figures)) == 1 + 2 + MISSED and set(cited) <= chain


async def test_what_authorities_were_told_is_explained_too(site: Site) -> None:
    own = await (await site.app.database.pool()).fetchval("select event_id from events where type = 'incident_overdue'")
    found = await site.explained(own)
    entry = next(e for e in found["chain"] if e["event_id"] == str(own))
    assert (entry["service"], entry["type"], entry["because"]) == ("gateway", "gov.incident_overdue", [str(ID["escalated"])])
    waits = await (await site.app.database.pool()).fetchval("select event_id from events where type = 'release_heard'")
    if waits is not None:
        await site.explained(waits, status=404)


async def test_residents_read_what_reaches_them_and_nothing_silent(site: Site) -> None:
    neighbour = await site.explained(ID["verified"], f"resident:{BEN}")
    said = " ".join(neighbour["text"] + [entry["text"] for entry in neighbour["chain"]])
    assert "3-1-701" not in said and "kitchen" not in said and "building 3" in said and "were told" not in said
    assert not {"gateway"} & {entry["service"] for entry in neighbour["chain"]}
    assert str(ID["told ann"]) not in str(neighbour) and str(ID["not told ben"]) in str(neighbour)
    own = await site.explained(INCIDENT, f"resident:{ANN}")
    assert "3-1-701" in " ".join(own["text"])
    await site.explained(INCIDENT, f"resident:{CARL}", 404)
    await site.explained(ID["not told ben"], f"resident:{ANN}", 404)
    for person in (ANN, BEN, CARL):
        await site.explained(DURESS.incident_id, f"resident:{person}", 404)
    assert "duress" in (await site.explained(DURESS.incident_id))["text"][0]


async def test_of_a_pin_of_theirs_there_is_no_word_nor_is_what_it_opened_explained_by_it(site: Site) -> None:
    pin, judged, event = uuid4(), uuid4(), access.CredentialIssued(uuid4(), ANN, "pin")
    facts = (access.Fact(pin, "credential"),)
    await site.hear((pin, event, ()), (judged, access.CredentialJudged(GATE, "pin", True, "residence", "x", facts, ANN, True), (pin,)))
    await caught_up(await site.app.database.pool(), *(view.name for view in SERVICE.views))
    for asked in (pin, event.credential_id):
        await site.explained(asked, f"resident:{ANN}", 404)
    assert [e["event_id"] for e in (await site.explained(judged, f"resident:{ANN}"))["chain"]] == [str(judged)]
    for of in (pin, judged):
        assert {e["event_id"] for e in (await site.explained(of))["chain"]} >= {str(pin), str(judged)}


async def test_the_live_feed_brings_each_what_reaches_them_and_nothing_silent(site: Site) -> None:
    end = await site.app.log.last()
    seen: dict[str, list[Any]] = {}
    for name, role, person in (("ann", "resident", ANN), ("ben", "resident", BEN), ("carl", "resident", CARL), ("guard", "guard", uuid4())):
        principal = Principal(person, role, frozenset({site.community}), permissions_of(role))
        nobody_yet = msgspec.structs.replace(await seen_by(site.app, principal, site.community), told=frozenset())
        tail = Shown(site.app.log, site.app.catalogue)
        frames = follow_live(site.app, tail, principal, nobody_yet, lambda type_: True, 0, f"{role}:{person}")
        seen[name] = []
        async for chunk in frames:
            found = [json.decode(line[6:]) for line in chunk.decode().split("\n") if line.startswith("data: ")]
            seen[name] += found
            at = [int(line[4:]) for line in chunk.decode().split("\n") if line.startswith("id: ")]
            if max(at, default=0) >= end - 10 or (chunk.startswith(b": at ") and int(chunk[5:]) >= end):
                break
        await frames.aclose()
    types = {name: {event["type"] for event in events} for name, events in seen.items()}
    assert {"alarm.incident_raised", "alarm.incident_acknowledged", "neighbors.broadcast_sent", "access.fire_release_begun"} <= types["ann"]
    assert types["ben"] & {"alarm.incident_raised", "alarm.incident_acknowledged"} == set()
    assert {"alarm.incident_verified", "alarm.incident_resolved", "neighbors.broadcast_ended"} <= types["ben"]
    assert not {t for t in types["carl"] if t.startswith(("alarm.", "neighbors.", "access.fire"))}
    assert {"alarm.incident_raised", "access.duress_signalled", "neighbors.resident_told"} <= types["guard"]
    for name in ("ann", "ben", "carl"):
        said = str(seen[name])
        assert "duress" not in said and str(DURESS.incident_id) not in said, name
        assert all(event["data"]["resident_id"] in (str(ANN), str(BEN)) for event in seen[name] if "resident_told" in event["type"])
    assert str(HOME) not in str([e for e in seen["ben"] if e["type"].startswith("alarm.")]) and str(HOME) in str(seen["ann"])
