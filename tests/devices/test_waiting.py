"""What a camera is told that waits: the first decision that rests on its very report, and nothing that rests on another."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import Struct
from msgspec.structs import replace

from libs.contracts.parking import BarrierOrdered, PassageJudged
from libs.eventkit.commands import Context
from libs.eventkit.recorded import Meta
from libs.eventkit.service import App
from services.devices.device_book import KnownDevice
from services.devices.domain.fallbacks import GiveFallback
from services.devices.domain.orders import AttemptOrder
from services.devices.domain.registry import Description
from services.devices.main import SERVICE
from services.devices.waiting import answer, decision
from tests.kit import recorded

LANE = UUID(int=1)
CAMERA = UUID(int=2)


class Heard:
    """The end of a log as it grows."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def says(self, event: Struct, *because: UUID, source: str | None = "parking") -> None:
        n = len(self.rows) + 1
        self.rows.append(recorded(event, self.community, position=n, source=source, meta=Meta(caused_by=because)))

    async def after(self, position: int, grown: Any) -> list[Any]:
        return self.rows[position:]

    community = UUID(int=3)


@pytest.fixture
async def site(app_of: Callable[..., Awaitable[App]], monkeypatch: pytest.MonkeyPatch, community: UUID) -> tuple[App, Heard]:
    app, heard = await app_of(SERVICE), Heard()
    heard.community = community
    monkeypatch.setattr(app.log, "tail", heard)
    return app, heard


def ordered(order: UUID | None = None) -> BarrierOrdered:
    return BarrierOrdered(order or uuid4(), LANE, CAMERA, 2, None, "tariff", "pays_by_tariff", ())


def judged(admitted: bool) -> PassageJudged:
    return PassageJudged(uuid4(), LANE, admitted, "tariff", "x", (), None, True)


def soon(seconds: float = 0.2) -> float:
    return asyncio.get_running_loop().time() + seconds


async def told(site: tuple[App, Heard], report: UUID, event: UUID, fallback: Any = "closed", after: int = 0) -> Any:
    app, heard = site
    camera = KnownDevice(CAMERA, heard.community, Description("vzenith-camera", "gate", "S1", fallback=fallback))
    context = Context(community_id=heard.community, now=datetime.now(UTC))
    return await answer(app, camera, report, event, after, soon(), context)


async def types(app: App, stream: str) -> list[str]:
    return [row.type for row in await app.log.stream(stream)]


async def test_only_what_parking_decided_of_this_very_report_counts(site: tuple[App, Heard]) -> None:
    app, heard = site
    event = uuid4()
    heard.says(ordered(), uuid4())
    heard.says(ordered(), event, source="access")
    heard.says(judged(True), event)
    assert await decision(app, event, 0, soon()) is None
    heard.says(mine := ordered(), uuid4(), event)
    found = await decision(app, event, 0, soon())
    assert found is not None and found[0] == mine
    assert await decision(app, event, len(heard.rows), soon()) is None
    assert await decision(app, event, 0, soon(-1)) is None, "its time was over"


async def test_an_order_is_the_answer_and_recorded_as_one_of_a_barrier_once_it_is_sent(site: tuple[App, Heard]) -> None:
    app, heard = site
    report, event, order = uuid4(), uuid4(), uuid4()
    heard.says(ordered(order), event)
    said = await told(site, report, event)
    assert said.admitted and await types(app, f"door-order:{order}") == ["order_attempted"]
    await said.sent()
    rows = [app.catalogue.read(row) for row in await app.log.stream(f"door-order:{order}")]
    assert [(row.actuator, row.door_no) for row in rows if row is not None] == [("barrier", 2)] * 2
    assert (rows[0].answers, rows[1].by) == (report, "answer")  # type: ignore[union-attr]


async def test_a_refusal_is_the_answer_and_recorded_as_told(site: tuple[App, Heard]) -> None:
    app, heard = site
    report, event = uuid4(), uuid4()
    heard.says(judged(False), event)
    said = await told(site, report, event, "open")
    await said.sent()
    assert not said.admitted and await types(app, f"refusal:{report}") == ["refusal_attempted", "refusal_told"]


@pytest.mark.parametrize(("fallback", "admitted"), [("open", True), ("closed", False)])
async def test_without_a_decision_it_is_told_what_is_configured(site: tuple[App, Heard], fallback: str, admitted: bool) -> None:
    app, _ = site
    report, event = uuid4(), uuid4()
    assert (await told(site, report, event, fallback)).admitted is admitted
    (row,) = await app.log.stream(f"fallback:{report}")
    given: Any = app.catalogue.read(row)
    assert given.admitted is admitted and given.waited >= 190 and event in row.meta.caused_by


async def test_who_was_answered_otherwise_is_told_no_and_nothing_more_is_recorded(site: tuple[App, Heard]) -> None:
    app, heard = site
    report, event, order = uuid4(), uuid4(), uuid4()
    context = Context(community_id=heard.community, now=datetime.now(UTC))
    await app.commands.handle(report, GiveFallback(report, CAMERA, False, 400), context)
    heard.says(ordered(order), event)
    assert not (await told(site, report, event, "open")).admitted
    assert await types(app, f"door-order:{order}") == []
    assert not (await told(site, report, uuid4(), "open", len(heard.rows))).admitted, "the fallback was given before"


async def test_an_order_that_somebody_else_has_attempted_opens_nothing_here(site: tuple[App, Heard]) -> None:
    app, heard = site
    report, event, order = uuid4(), uuid4(), uuid4()
    context = Context(community_id=heard.community, now=datetime.now(UTC))
    await app.commands.handle(order, AttemptOrder(order, CAMERA, 2, "barrier", report), context)
    heard.says(ordered(order), event)
    assert not (await told(site, report, event, "open")).admitted


async def test_what_is_recorded_is_dated_now_and_rests_on_the_decision(site: tuple[App, Heard]) -> None:
    app, heard = site
    event, order = uuid4(), uuid4()
    heard.says(ordered(order), event)
    heard.rows[0] = replace(heard.rows[0], recorded_at=datetime.now(UTC) - timedelta(hours=1))
    await told(site, uuid4(), event)
    (row,) = await app.log.stream(f"door-order:{order}")
    assert heard.rows[0].event_id in row.meta.caused_by
