"""For the local stack only: a community to look at, and tokens for whoever may read the secret `demo`."""

import asyncio
import hmac
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from libs.eventkit.auth import LIFETIME
from libs.eventkit.commands import Context
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.http import Input, context, json, open_to_all
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.identity import contacts, lookups, plates
from services.identity.demo_community import DIVISION, HOMES, RESIDENTS, UNITS, ZONE, DemoResident, Plan, demo_id, plan
from services.identity.domain.accounts import ACCOUNTS, Open, OpenAccount
from services.identity.domain.buildings import RegisterBuilding
from services.identity.domain.communities import COMMUNITIES, FoundCommunity, Founded
from services.identity.domain.homes import RegisterHome
from services.identity.domain.population import DeclarePopulation
from services.identity.domain.residences import StartResidence
from services.identity.phone_numbers import account_index, telephone
from services.identity.tokens import kid_for_now, secrets_of

SINCE = date(2024, 9, 1)
SHOWN = 5


class Seed(Input):
    """Without a label the demo community; with one a further community of its own, as small as is asked for."""

    community: Annotated[str, Field(max_length=60)] = ""
    homes: Annotated[int, Field(ge=1, le=HOMES)] = HOMES
    residents: Annotated[int, Field(ge=1, le=RESIDENTS)] = RESIDENTS


class AskForToken(Input):
    role: Literal["resident", "staff", "guard", "grid", "police", "operator", "device", "service"]
    as_: Annotated[UUID | None, Field(alias="as")] = None


def routes(app: App) -> APIRouter:
    router = APIRouter(tags=["demo"])
    own, secret = secrets_of(app), app.settings.secret("demo")

    def check(request: Request) -> None:
        shown = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if not hmac.compare_digest(shown.encode(), secret.encode()):
            raise Problem(403, "demo_secret_wrong")

    @router.post("/v1/demo-seed", dependencies=[open_to_all])
    async def seed(body: Seed, request: Request) -> Response:
        """Founds the community and fills it; quick, and without effect, when that has been done."""
        check(request)
        planned = plan(body.community, body.homes, body.residents)
        if not await _is_there(app, planned):
            await found(app, planned, context(request, None, planned.community_id))
        return json(_answer(planned))

    @router.post("/v1/demo-tokens", dependencies=[open_to_all])
    async def token(body: AskForToken, request: Request) -> Response:
        check(request)
        person_id, community_id = await _principal(app, body.role, body.as_)
        signed = own.access_token(await kid_for_now(app), person_id, body.role, community_id, datetime.now(UTC))
        return json(
            {"access_token": signed, "expires_in": LIFETIME, "person_id": person_id, "community_id": community_id})

    return router


async def _principal(app: App, role: str, person_id: UUID | None) -> tuple[UUID, UUID]:
    """Person and community. Raises NotFound for somebody who is not there in this role, Refused before seeding."""
    community_id = demo_id("community")
    community, _ = await app.commands.state(COMMUNITIES, community_id, community_id)
    if person_id is None and not isinstance(community, Founded):
        raise Refused("demo_not_seeded")
    if role in ("device", "service"):
        return person_id or demo_id(role), community_id
    person_id = person_id or demo_id(f"{role}-1")
    account = await lookups.account_of_person(app, person_id, role)
    if account is not None:
        return person_id, account.community_id
    rows = await app.log.stream(f"resident:{person_id}") if role == "resident" else []
    if not rows:
        raise NotFound("account")
    return person_id, rows[0].community_id


async def _is_there(app: App, planned: Plan) -> bool:
    """The account that is opened last tells that nothing is missing."""
    account, _ = await app.commands.state(ACCOUNTS, planned.duties[-1].account_id, planned.community_id)
    return isinstance(account, Open)


async def found(app: App, planned: Plan, asked: Context) -> None:
    """In the order in which one rests on another; what a crash left out comes with the next call."""

    def account(person_id: UUID, account_id: UUID, role: str, phone: str) -> Any:
        index = account_index(app.blind, planned.community_id, phone)
        return lookups.is_new(app.commands.handle(account_id, OpenAccount(account_id, person_id, role, index), asked))

    async def resident(r: DemoResident) -> None:
        await lookups.is_new(contacts.register(app, r.resident_id, r.name, telephone(r.phone) if r.phone else None, asked))
        home = r.home
        moved_in = StartResidence(
            r.residence_id, r.resident_id, home.home_id, home.building_id, home.unit, r.role, SINCE, today)
        await app.commands.handle(r.residence_id, moved_in, asked)
        counts = DeclarePopulation(r.resident_id, "staff", r.population, planned.duties[0].person_id)
        await app.commands.handle(r.resident_id, counts, asked)
        await account(r.resident_id, r.account_id, "resident", r.phone)

    await app.commands.handle(
        planned.community_id, FoundCommunity(planned.community_id, planned.name, DIVISION, ZONE), asked)
    today = await lookups.today(app, planned.community_id)
    await asyncio.gather(*(
        app.commands.handle(b.building_id, RegisterBuilding(b.building_id, b.name, UNITS), asked)
        for b in planned.buildings))
    await asyncio.gather(*(
        app.commands.handle(h.home_id, RegisterHome(h.home_id, h.building_id, UNITS, h.unit, h.label), asked)
        for h in planned.homes))
    await asyncio.gather(*(resident(r) for r in planned.residents))
    for v in planned.vehicles:
        home_id = v.keeper.home.home_id
        await lookups.is_new(
            plates.register(app, v.vehicle_id, home_id, v.keeper.resident_id, v.plate, v.vehicle_class, asked))
        if v.verified:
            await plates.verify(app, v.vehicle_id, "driving_licence", planned.duties[0].person_id, asked)
    for duty in planned.duties:
        await account(duty.person_id, duty.account_id, duty.role, duty.phone)


def _answer(planned: Plan) -> dict[str, Any]:
    first = planned.residents[0]
    return {
        "community_id": planned.community_id,
        "name": planned.name,
        "buildings": [{"id": b.building_id, "name": b.name} for b in planned.buildings],
        "residents": [
            {"id": r.resident_id, "home": r.home.label, "home_id": r.home.home_id, "building_id": r.home.building_id}
            for r in planned.residents[:SHOWN]],
        "vehicles": [
            {"id": v.vehicle_id, "home_id": v.keeper.home.home_id, "keeper_id": v.keeper.resident_id, "plate": v.plate,
             "vehicle_class": v.vehicle_class}
            for v in planned.vehicles],
        "people": {d.role: d.person_id for d in planned.duties},
        "sign_ins": [
            {"role": "resident", "phone": first.phone}, *({"role": d.role, "phone": d.phone} for d in planned.duties)],
    }
