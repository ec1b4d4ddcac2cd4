"""Rounds begin and stops are closed on time, and whoever was at a point was at a stop of a round: when follows from the log alone."""

from datetime import datetime
from uuid import UUID

from libs.eventkit.reactions import Do, Reaction, context_of
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from libs.eventkit.timers import Due, Timer
from services.alarm.domain import patrol_rounds, patrol_routes
from services.alarm.domain.patrol_rounds import ROUNDS, CloseStops, OpenRound, Visit, VisitPoint, nearest, off
from services.alarm.domain.patrol_routes import ROUTES, BeginRounds, PatrolRoundBegun, Round, Route, next_round
from services.alarm.domain.patrol_scans import PatrolPointScanned
from services.alarm.patrol_book import PatrolBook


def patrol_timers(app: App) -> tuple[Timer, ...]:
    async def begin(found: Due) -> None:
        context = found.context(f"begin rounds {found.at.isoformat()}")
        await app.commands.handle(found.subject_id, BeginRounds(context.now), context)

    async def close(found: Due) -> None:
        context = found.context(f"close stops {found.at.isoformat()}")
        await app.commands.handle(found.subject_id, CloseStops(context.now), context)

    return (
        Timer("rounds_to_begin", ROUTES, patrol_routes.due, begin),
        Timer("stops_to_close", ROUNDS, patrol_rounds.due, close))


def patrols(app: App, book: PatrolBook) -> Reaction:
    async def begun(event: PatrolRoundBegun, row: Recorded) -> list[Do]:
        return [Do("open", event.round.round_id, OpenRound(event.round))]

    async def scanned(event: PatrolPointScanned, row: Recorded) -> list[Do]:
        if not event.there:
            return []
        await book.memory.fresh(row.position)
        book.understood(row.community_id)
        visit, found = Visit(event.scan_id, event.by, event.at), []
        for route_id in book.routes(row.community_id, event.point_id):
            rounds = await _begun(app, route_id, row, max(row.recorded_at, event.at))
            if (one := _round_of(rounds, event)) is not None:
                found.append(Do(f"visit {route_id}", one.round_id, VisitPoint(one, event.point_id, visit)))
        return found

    return Reaction("patrols", {PatrolRoundBegun: begun, PatrolPointScanned: scanned})


async def _begun(app: App, route_id: UUID, row: Recorded, by: datetime) -> tuple[Round, ...]:
    """A route's rounds, with those that should have begun by then."""
    while True:
        state, _ = await app.commands.state(ROUTES, route_id, row.community_id)
        if (one := next_round(state)) is None or one.opens > by:
            return state.begun if isinstance(state, Route) else ()
        await app.commands.handle(route_id, BeginRounds(by), context_of(row, f"begin {one.round_id}"))


def _round_of(rounds: tuple[Round, ...], scan: PatrolPointScanned) -> Round | None:
    """The one with the stop whose time is nearest."""
    stops = ((one, nearest(one, scan.point_id, scan.at)) for one in rounds)
    near = [(off(one, stop, scan.at), one.starts_at, one) for one, stop in stops if stop is not None]
    return min(near, key=lambda found: found[:2])[2] if near else None
