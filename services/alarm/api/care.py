"""Care for who lives alone, as staff and guards see it: which homes, and each wellness check."""

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts import permissions
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Done
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.http import IdempotencyKey, Input, community_of, json, permitted
from libs.eventkit.service import App
from services.alarm.book import AlarmBook
from services.alarm.care_book import CareBook
from services.alarm.domain.care import CARE, LONGEST, MOST_HELPERS, SHORTEST, AnswerCheck, ArrangeCare, BeginCheck, EndCare
from services.alarm.domain.care_history import Answer, Asked, Cared, Terms
from services.alarm.views import care as view

Limit = Query(default=50, ge=1, le=200)


class NewTerms(Input):
    """Hours of silence before which nobody is asked, and after which somebody always is; minutes that each has to answer."""

    least_hours: int = Field(default=12, ge=SHORTEST, le=LONGEST)
    most_hours: int = Field(default=48, ge=SHORTEST, le=LONGEST)
    answer_minutes: int = Field(default=30, ge=5, le=240)


class NewCare(NewTerms):
    """`agreed`: how those who live there did. `helpers`: neighbours, by their ids; each is asked whether they agree."""

    agreed: Literal["in_writing", "in_person"]
    helpers: set[UUID] = Field(default=set(), max_length=MOST_HELPERS)


class NewCheck(Input):
    """Whom to ask first."""

    ask: Asked = "home"


class NewAnswer(Input):
    """`not_reached`: a neighbour has tried in vain."""

    check_id: UUID
    answer: Answer


def routes(app: App, alarms: AlarmBook, book: CareBook) -> APIRouter:
    router = APIRouter(prefix="/v1")
    guards, manages, reads = (
        permitted(one) for one in (permissions.ALARMS_GUARD, permissions.ALARMS_MANAGE, permissions.ALARMS_READ))

    def headers(done: Done) -> dict[str, str]:
        return http.position_header(app.service.name, app.commands.generation, done)

    @router.put("/care/{home_id}")
    async def arrange_care(
        home_id: UUID, body: NewCare, request: Request, key: IdempotencyKey, principal: Principal = manages,
    ) -> Response:
        """For those who live there now. If-Match takes the edition that the caller saw (412 when it has changed). 409 nobody_lives_there,
        helper_lives_there, helper_not_a_resident, hours_out_of_order."""
        community_id = community_of(principal)
        await alarms.memory.catch_up()
        await book.memory.catch_up()
        book.understood(community_id)
        alarms.home(community_id, home_id)
        if not all(alarms.lives_here(community_id, one) for one in body.helpers):
            raise Refused("helper_not_a_resident")
        context = http.context(request, principal, community_id)
        command = ArrangeCare(
            home_id, book.living(community_id, home_id), terms_of(body, tuple(sorted(body.helpers))), alarms.clock(community_id),
            body.agreed, principal.id, context.now, http.if_match(request))
        done = await app.commands.handle(home_id, command, context, key=key)
        return json({"home_id": home_id}, 200, {**headers(done), "ETag": await edition_of(app, done, home_id, community_id)})

    @router.delete("/care/{home_id}", status_code=204)
    async def end_care(home_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = manages) -> Response:
        """Those who live there end it themselves, too. Again: nothing happens."""
        context = http.context(request, principal, community_of(principal))
        await alarms.memory.catch_up()
        alarms.home(context.community_id, home_id)
        done = await app.commands.handle(home_id, EndCare("staff", context.now, principal.id), context, key=key)
        return Response(status_code=204, headers=headers(done))

    @router.get("/care")
    async def list_care(
        request: Request, principal: Principal = reads, cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        """Homes that are cared for. `state`: watched, asked, worried (a check became an incident)."""
        after, stale = http.cursor_id(cursor, "care"), await http.caught_up(request, view.HOMES_VIEW.name)
        rows = await app.database.fetch(principal.community_ids, view.homes_of(after, limit + 1))
        fields = ("home_id", "residents", "terms", "agreed", "helpers", "state", "check_id", "away_until", "edition")
        return json(http.page([{f: row[f] for f in fields} for row in rows], limit, "care", "home_id"), 200, stale)

    @router.get("/care/{home_id}")
    async def show_care(home_id: UUID, principal: Principal = reads) -> Response:
        """With what is usual there, and since when nobody has been noticed. ETag: the edition that If-Match takes."""
        state = await state_of(app, home_id, community_of(principal))
        return json({"home_id": home_id, **shown(state)}, 200, {"ETag": f'"{state.said.edition}"'})

    @router.post("/care/{home_id}/checks", status_code=201)
    async def begin_check(
        home_id: UUID, body: NewCheck, request: Request, key: IdempotencyKey, principal: Principal = guards,
    ) -> Response:
        """Somebody on duty worries: those who live there are asked at once, or their neighbours. 409 check_under_way,
        nobody_to_ask."""
        context = http.context(request, principal, community_of(principal))
        await book.memory.catch_up()
        book.understood(context.community_id)
        command = BeginCheck(body.ask, book.at_home(context.community_id, home_id), principal.id, context.now)
        done = await app.commands.handle(home_id, command, context, key=key)
        event: Any = (await app.commands.said(done))[0]
        return json({"id": event.check_id, "home_id": home_id}, 201, headers(done))

    @router.post("/care/{home_id}/answers", status_code=201)
    async def answer_check(
        home_id: UUID, body: NewAnswer, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.CARE_OWN, permissions.ALARMS_GUARD),
    ) -> Response:
        """By who lives there, a neighbour who was asked, or who is on duty. `not_well` becomes an incident at once. 409 check_over,
        not_yours_to_say: neighbours answer once they are asked, and only they may say that they reached nobody."""
        context = http.context(request, principal, community_of(principal))
        await book.memory.catch_up()
        book.understood(context.community_id)
        lives_there = principal.id in book.at_home(context.community_id, home_id)
        on_duty = permissions.ALARMS_GUARD in principal.permissions
        command = AnswerCheck(body.check_id, body.answer, principal.id, on_duty, lives_there, context.now)
        done = await app.commands.handle(home_id, command, context, key=key)
        return json({"check_id": body.check_id}, 201, headers(done))

    @router.get("/wellness-checks")
    async def list_wellness_checks(
        request: Request, principal: Principal = reads, home_id: UUID | None = None, state: view.State | None = None,
        cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        """The last begun first. `how` it ended: sign, well, not_well, unanswered, called_off; None while it is under way."""
        filter_ = f"wellness-checks {home_id} {state}"
        before, stale = http.cursor_position(cursor, filter_), await http.caught_up(request, view.CHECKS_VIEW.name)
        rows = await app.database.fetch(principal.community_ids, view.checks_of(before, limit + 1, home_id, state))
        fields = ("home_id", "state", "of", "asked", "tried", "silent_since", "began_at", "began_by", "answer_by", "how", "by", "ended_at",
                  "position")
        return json(http.page([{"id": r["check_id"], **{f: r[f] for f in fields}} for r in rows], limit, filter_, "position"), 200, stale)

    return router


def terms_of(body: NewTerms, helpers: tuple[UUID, ...]) -> Terms:
    return Terms(body.least_hours, body.most_hours, body.answer_minutes, helpers)


async def state_of(app: App, home_id: UUID, community_id: UUID) -> Cared:
    """Raises NotFound where nobody is cared for."""
    state, _ = await app.commands.state(CARE, home_id, community_id)
    if not isinstance(state, Cared):
        raise NotFound("care")
    return state


async def edition_of(app: App, done: Done, home_id: UUID, community_id: UUID) -> str:
    """The ETag of what this caller arranged, whoever has changed it since."""
    said: Any = next(iter(await app.commands.said(done)), None)
    return f'"{said.edition if said is not None else (await state_of(app, home_id, community_id)).said.edition}"'


def shown(state: Cared) -> dict[str, Any]:
    """`usual_minutes`: how long it may be silent there. `away_until`: as they said. `check`: the one under way."""
    terms, check = state.said.terms, state.check
    away = max((one.until for one in state.absences), default=None)
    return {
        "residents": state.said.residents, "agreed": state.said.agreed, "edition": state.said.edition,
        "terms": {"least_hours": terms.least, "most_hours": terms.most, "answer_minutes": terms.answer},
        "helpers": [{"id": one, "agreed": state.answers.get(one)} for one in terms.helpers],
        "state": "asked" if check is not None else "worried" if state.worried is not None else "watched",
        "silent_since": state.silent_since, "usual_minutes": int(state.usual.total_seconds() // 60), "away_until": away,
        "check": {"id": check.said.check_id, "of": check.said.of, "answer_by": check.said.answer_by} if check is not None else None}
