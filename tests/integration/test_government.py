"""The government stream on real servers: what is heard is told in order, once, whatever dies in between; HTTP has what Kafka has."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from msgspec import Struct, json

from cli.migrating.topics import ensure_topics
from libs.contracts import access, alarm, identity
from libs.contracts.permissions import permissions_of
from libs.eventkit.auth import Principal
from libs.eventkit.envelope import Heard
from libs.eventkit.hear import _CALL, _columns
from libs.eventkit.recorded import Meta, Number, tag_of
from libs.eventkit.run import web
from libs.eventkit.service import App
from libs.eventkit.subscriptions import follow
from services.gateway.main import SERVICE
from services.gateway.reactions import NAME
from tests.eventkit.topics import Topic
from tests.kit import caught_up, everything, turns, until

AppOf = Callable[..., Awaitable[App]]
NOW = datetime.now(UTC).replace(microsecond=0)
SOON = NOW + timedelta(minutes=2)
PATH = "/v1/government/incident-events"


class Ears(Struct):
    """Puts heard rows into the gateway's log, as its hearing does."""

    app: App
    community: UUID
    last: dict[str, int] = {}

    async def hear(self, *events: Struct, community: UUID | None = None) -> list[UUID]:
        rows, ids = [], []
        for event in events:
            source, number = tag_of(event).partition(".")[0], self.last.get(tag_of(event).partition(".")[0], 0)
            self.last[source] = number + 1
            ids.append(uuid4())
            rows.append((self.app.settings.topic(source), Heard(
                community or self.community, Number(1, number + 1, 0), Number(1, number, 0) if number else Number(), ids[-1], tag_of(event),
                1, json.encode(event).decode(), Meta(source_time=NOW, subject="source:1"))))
        sources = {self.app.settings.topic(s): s for s in SERVICE.hears}
        await (await self.app.database.pool()).fetchval(_CALL, *_columns(rows, sources))
        self.app.wake()
        return ids

    async def founded(self) -> None:
        await self.hear(identity.CommunityFounded(self.community, "里坊", "310101", "Asia/Shanghai"))


def topic_of(app: App, producer: AIOKafkaProducer | None = None) -> Topic:
    topic = Topic(app.settings, producer)
    topic.name = app.settings.topic("gov.incidents")
    return topic


@pytest.fixture
async def ears(app_of: AppOf, community: UUID) -> AsyncIterator[Ears]:
    app = await app_of(SERVICE)
    await ensure_topics(app.settings, ("gov.incidents",))
    yield Ears(app, community)


def tells(app: App) -> None:
    reaction = next(s for s in app.subscriptions if s.name == NAME)
    app.supervisor.start(NAME, lambda: follow(app.log, app.wake, reaction))
    app.start_relay()


def fire(incident: UUID, **more: Any) -> dict[str, Any]:
    return {"incident_id": incident, "kind": "fire", "severity": "critical", "silent": False,
            "place": alarm.Place(uuid4(), 1, 7, uuid4(), "kitchen"), **more}


def raised(about: dict[str, Any]) -> alarm.IncidentRaised:
    return alarm.IncidentRaised(
        **about, code="contact_id:1110", source_id=uuid4(), sensor_id=uuid4(), device_id=uuid4(), raised_by=uuid4(), live=True,
        acknowledge_by=SOON)


def released(about: dict[str, Any], release: UUID) -> tuple[access.FireReleaseBegun, access.FireReleaseEnded]:
    building, incident = about["place"].building_id, about["incident_id"]
    relays = (access.ReleasedRelay(uuid4(), uuid4(), 1, "held_open"), access.ReleasedRelay(uuid4(), uuid4(), 2, "recalled"))
    return (access.FireReleaseBegun(release, building, incident, None, relays, "fire_verified", "fire_verified", ()),
            access.FireReleaseEnded(release, building, incident, uuid4(), "fire_over", relays))


def whole(about: dict[str, Any]) -> list[Struct]:
    """One incident to its end; access is heard before alarm."""
    begun, ended = released(about, uuid4())
    guard = uuid4()
    return [
        begun, raised(about), *(alarm.IncidentRepeated(**about, count=n, live=True) for n in range(2, 10)),
        alarm.IncidentEscalated(**about, level=1, waiting_for="acknowledgement", due=SOON, told=("guard",), next_by=None),
        alarm.IncidentAcknowledged(**about, by=guard, verify_by=SOON),
        alarm.IncidentVerified(**about, by=guard, how="on_site", dispatch_by=SOON),
        alarm.IncidentDispatched(**about, by=guard, to="fire_brigade", assignee=guard, resolve_by=SOON),
        alarm.IncidentRestored(**about), alarm.IncidentResolved(**about, by=guard, how="put_out"), ended]


STEPS = [
    "gov.incident_opened", "gov.fire_released", *["gov.incident_recurred"] * 3, "gov.incident_overdue", *["gov.incident_progressed"] * 4,
    "gov.fire_released"]


async def told(app: App) -> list[Heard]:
    for reader in (NAME, "relay"):  # the relay tells what the reaction has said
        await caught_up(await app.database.pool(), reader)
    return await topic_of(app).heard()


async def test_each_incident_is_told_in_order_and_once_with_what_caused_it(ears: Ears) -> None:
    incidents = [fire(uuid4()) for _ in range(5)]
    tells(ears.app)
    await ears.founded()
    stories = [whole(about) for about in incidents]
    heard = {i: event for turn in zip(*stories, strict=True) for i, event in zip(await ears.hear(*turn), turn, strict=True)}
    found = await told(ears.app)
    for about in incidents:
        mine = [h for h in found if h.meta.subject == f"incident:{about['incident_id']}"]
        assert [h.type for h in mine] == STEPS
        bodies = [json.decode(h.data) for h in mine]
        assert [b["count"] for b in bodies if "count" in b] == [2, 4, 8]
        assert [b["state"] for b in bodies if "state" in b] == ["acknowledged", "verified", "dispatched", "resolved"]
        assert all(heard[h.meta.caused_by[0]].incident_id == about["incident_id"] for h in mine)  # type: ignore[attr-defined]
        assert type(heard[mine[1].meta.caused_by[1]]) is access.FireReleaseBegun, "it had waited for its incident"
        assert {b["division_code"] for b in bodies} == {"310101"}
        text = "".join(h.data for h in mine)
        assert not any(str(i) in text for i in (about["place"].home_id,)) and "kitchen" not in text
    assert {h.community_id for h in found} == {ears.community} and len({h.event_id for h in found}) == len(found)
    records = await topic_of(ears.app).records()
    assert {m.community_id for m in records} == {ears.community}, "keyed by community"


async def test_nothing_is_told_before_the_division_is_known_and_then_all_of_it(ears: Ears) -> None:
    about = fire(uuid4())
    tells(ears.app)
    await ears.hear(raised(about))
    await turns()
    await ears.founded()
    await ears.hear(alarm.IncidentVerified(**about, by=uuid4(), how="camera", dispatch_by=SOON))
    assert [h.type for h in await told(ears.app)] == ["gov.incident_opened", "gov.incident_progressed"]


@pytest.mark.parametrize("point", ["append.before", "append.after", "reaction.done", "relay.sent"])
async def test_killed_in_between_nothing_is_lost_and_nothing_told_twice(ears: Ears, point: str) -> None:
    about = fire(uuid4())
    await ears.founded()
    await ears.hear(*whole(about))
    settings = ears.app.settings
    environment = {
        **os.environ, "DATABASE_URL_GATEWAY": settings.database_url, "LIFANG_SECRETS": str(settings.secrets),
        "LIFANG_KAFKA_USER": settings.kafka_user,
        "LIFANG_TOPIC_PREFIX": settings.topic_prefix, "LIFANG_OPEN_PREFIX": settings.open_prefix}
    mortal = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.mortal_government", env={**environment, "LIFANG_FAILPOINT": point},
        cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
    assert await asyncio.wait_for(mortal.wait(), 60) == -signal.SIGKILL
    tells(ears.app)
    found = await told(ears.app)
    own = [row for row in await everything(await ears.app.database.pool()) if row.source is None and row.type != "release_heard"]
    assert len(own) == len(STEPS), "in the log each stands once"
    numbers = list(dict.fromkeys(h.number for h in found))
    assert [h.type for h in sorted({h.number: h for h in found}.values(), key=lambda h: h.number)] == STEPS and numbers == sorted(numbers)
    if point.startswith("append."):  # else what was sent and not noted is sent again, under its number: listeners know it by that
        assert set(Counter(h.event_id for h in found).values()) == {1}


class Authority(Struct):
    client: httpx.AsyncClient

    async def ask(self, query: str = "", status: int = 200) -> Any:
        answer = await self.client.get(f"{PATH}?{query}", headers={"authorization": "Bearer police"})
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
async def authority(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Authority]:
    principal = Principal(uuid4(), "police", frozenset({ears.community}), permissions_of("police"))
    monkeypatch.setattr(ears.app.verifier, "verify", lambda token, now: principal)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web(ears.app)), base_url="http://gateway", timeout=40) as client:
        yield Authority(client)


async def test_over_http_there_is_from_any_position_what_the_topic_has(ears: Ears, authority: Authority) -> None:
    tells(ears.app)
    await ears.founded()
    await ears.hear(*whole(fire(uuid4())))
    await ears.hear(*whole(fire(uuid4(), kind="gas")), community=uuid4())  # whose division nobody knows
    await until(lambda: _opened(ears.app, 1))
    topic = [h for h in await topic_of(ears.app).holds(len(STEPS)) if h.community_id == ears.community]
    items: list[Any] = []
    page: Any = {"after": "", "next": "x"}
    while page["next"] is not None:
        page = await authority.ask(f"limit=3&after={page['after']}")
        items += page["items"]
    assert [(i["id"], i["type"], i["lifangposition"], i["subject"]) for i in items] == [
        (str(h.event_id), h.type, str(h.number), h.meta.subject) for h in topic]
    assert [i["data"] for i in items] == [json.decode(h.data) for h in topic]
    assert [i["lifangcausedby"].split() for i in items] == [[str(c) for c in h.meta.caused_by] for h in topic]
    end = await authority.ask(f"after={page['after']}")
    assert (end["items"], end["next"]) == ([], None)
    some = await authority.ask("types=gov.incident_o*")
    assert [i["type"] for i in some["items"]] == ["gov.incident_opened", "gov.incident_overdue"]
    assert (await authority.ask(f"types=gov.fire_released&after={page['after']}", 400))["code"] == "cursor_of_another_filter"
    assert (await authority.ask("after=x", 400))["code"] == "cursor_malformed"
    assert (await authority.ask("types=gov.incidents_*", 400))["code"] == "types_unknown", "a misspelt type is no quiet night"
    assert (await authority.ask("wait=26", 422))["code"] == "invalid"


async def _opened(app: App, count: int) -> bool:
    return len([r for r in await everything(await app.database.pool()) if r.type == "incident_opened"]) >= count


async def test_whoever_waits_at_the_end_is_answered_when_something_comes(ears: Ears, authority: Authority) -> None:
    tells(ears.app)
    await ears.founded()
    about = fire(uuid4())
    end = await authority.ask()
    waiting = asyncio.create_task(authority.ask(f"wait=25&after={end['after']}"))
    await until(lambda: not waiting.done())
    await ears.hear(raised(about))
    answer = await asyncio.wait_for(waiting, 20)
    assert [i["type"] for i in answer["items"]] == ["gov.incident_opened"] and answer["after"] != end["after"]
    nothing = await authority.ask(f"wait=1&after={answer['after']}")
    assert nothing["items"] == [] and nothing["next"] is None


async def test_a_cursor_of_a_log_that_was_restored_is_refused(ears: Ears, authority: Authority) -> None:
    await ears.founded()
    end = await authority.ask()
    await (await ears.app.database.pool()).execute("delete from events")
    assert (await authority.ask(f"after={end['after']}", 410))["code"] == "history_changed"
