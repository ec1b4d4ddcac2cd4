"""Two services, wired: `toy` decides, publishes, rings bells and boils eggs; `echo` hears it and notes what it has heard."""

import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response
from msgspec import Struct

from libs.eventkit.http import IdempotencyKey, Input, context, json, open_to_all, position_header
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App, Service
from libs.eventkit.timers import Due, Timer
from services.devices.performer import Effect, Performer
from services.devices.performer import Order as Planned
from tests.toy import accounts, bells, eggs
from tests.toy.public import CONTRACTS, ToyAdded, publish
from tests.toy.sums import VIEW

Ringing = Callable[[str, UUID], Awaitable[None]]


class KeyLearnt(Struct, frozen=True, tag="key_learnt"):
    """Never happens: the toy lets everybody in."""

    kid: str


async def note(event: ToyAdded, row: Recorded) -> list[Do]:
    return [Do("note", event.account_id, accounts.Note(row.event_id, event.amount))]


async def ring_device(bell: str, ring_id: UUID) -> None:
    """The device: a file that remembers every call. One write to it is one line, whoever else writes."""
    device = os.open(os.environ["TOY_DEVICE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(device, f"{bell} {ring_id} {datetime.now(UTC).timestamp()}\n".encode())
    os.close(device)


def ringing(ring: Ringing, ttl: float) -> Effect:
    async def plan(event: bells.RingOrdered, row: Recorded) -> Planned:
        ring_id = UUID(row.subject.rpartition(":")[2])

        async def perform() -> Struct:
            await ring(event.bell, ring_id)
            return bells.Done()

        return Planned(ring_id, event.bell, bells.Attempt(), bells.Expire(), bells.GiveUp(), perform)

    return Effect(name="rings", on={bells.RingOrdered: plan}, ttl=timedelta(seconds=ttl))


def timers(app: App) -> tuple[Timer, ...]:
    async def ready(due: Due) -> None:
        await app.commands.handle(due.subject_id, eggs.Ready(due.at), due.context("ready"))

    return (Timer("eggs", eggs.EGGS, due=lambda egg: egg.until, fire=ready),)


class Sum(Input):
    amount: int
    twice: bool = False


def routes(app: App) -> APIRouter:
    router = APIRouter()

    async def said(subject_id: UUID, command: Struct, community_id: UUID, request: Request, key: Any) -> Response:
        done = await app.commands.handle(subject_id, command, context(request, None, community_id), key=key)
        body = {"events": done.outcome.events, "version": done.outcome.version, "position": done.outcome.position}
        return json(body, headers=position_header("toy", app.commands.generation, done))

    @router.post("/v1/{community_id}/accounts/{account_id}", dependencies=[open_to_all])
    async def add(community_id: UUID, account_id: UUID, body: Sum, request: Request, key: IdempotencyKey) -> Response:
        return await said(account_id, accounts.Add(body.amount, body.twice), community_id, request, key)

    @router.post("/v1/{community_id}/accounts/{account_id}/names/{name}", dependencies=[open_to_all])
    async def name_it(community_id: UUID, account_id: UUID, name: str, request: Request, key: IdempotencyKey) -> Response:
        return await said(account_id, accounts.Name(name), community_id, request, key)

    @router.post("/v1/{community_id}/rings/{bell}", dependencies=[open_to_all])
    async def ring(community_id: UUID, bell: str, request: Request, key: IdempotencyKey) -> Response:
        return await said(uuid4(), bells.Order(bell), community_id, request, key)

    @router.post("/v1/{community_id}/eggs/{milliseconds}", dependencies=[open_to_all])
    async def boil(community_id: UUID, milliseconds: int, request: Request, key: IdempotencyKey) -> Response:
        until = datetime.now(UTC) + timedelta(milliseconds=milliseconds)
        return await said(uuid4(), eggs.Boil(until), community_id, request, key)

    return router


EVENTS = (
    accounts.Added, accounts.Named, accounts.Unnamed, accounts.Noted, bells.RingOrdered, bells.RingAttempted, bells.Rung,
    bells.RingExpired, bells.RingUnknown, eggs.Boiling, eggs.TakenOut, eggs.Boiled, KeyLearnt)


def service(ring: Ringing = ring_device, ttl: float = 5.0) -> Service:
    return Service(
        name="toy", events=EVENTS, permissions_of=lambda role: frozenset(), signing_key=KeyLearnt,
        deciders=(accounts.ACCOUNTS, bells.RINGS, eggs.EGGS), publish=publish, views=(VIEW,), timers=timers,
        readers=lambda app: (Performer(app.commands, ringing(ring, ttl)).subscription(),), routes=routes)


TOY = service()
ECHO = Service(
    name="echo", events=EVENTS, permissions_of=lambda role: frozenset(), signing_key=KeyLearnt, hears=("toy",),
    contracts=CONTRACTS, deciders=(accounts.ACCOUNTS,), views=(VIEW,),
    reactions=lambda app: (Reaction("notes", on={ToyAdded: note}),))
