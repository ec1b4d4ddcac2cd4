"""Webhooks of authorities: where they are told, under which secret, how far that has come. What is sent: `webhooks/delivering.py`."""

from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts.permissions import GOVERNMENT_READ, OPERATIONS_READ
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Done
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.http import IdempotencyKey, Input, community_of, context, cursor_id, json, page, permitted, position_header
from libs.eventkit.keys_topic import KeyCreated, KeyErased
from libs.eventkit.log import Key
from libs.eventkit.privacy import KeyHandle, seal
from libs.eventkit.recorded import Number, uuid7
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from services.gateway.api.incident_events import named
from services.gateway.api.paging import Cursor, Limit
from services.gateway.domain.webhooks import (
    WEBHOOKS,
    Delivering,
    Failing,
    NoWebhook,
    RegisterWebhook,
    Removed,
    RemoveWebhook,
    ResendFrom,
    ResumeWebhook,
    RotateSecret,
    SwitchedOff,
    Webhook,
    of_role,
)
from services.gateway.publishing import publish
from services.gateway.webhooks import address
from services.gateway.webhooks.book import Known, book_of
from services.gateway.webhooks.places import forget, standing
from services.gateway.webhooks.signing import new_secret

PURPOSE = "webhook"
LOOKING_UP = 3.0
"""Seconds for the name of a new webhook's host."""
AUTHORITY = permitted(GOVERNMENT_READ)
READER = permitted(GOVERNMENT_READ, OPERATIONS_READ)


class Begins(Input):
    """`from_event`: with this event; `from_position`: its `lifangposition`, "0.0.0" for the beginning. At most one of them."""

    from_event: UUID | None = None
    from_position: str | None = Field(None, pattern=r"^[0-9]{1,9}\.[0-9]{1,18}\.[0-9]{1,9}$")


class NewWebhook(Begins):
    """`types`: globs with commas between, none: all; `division_code`: how the GB/T 2260 code begins. Without a place it begins now."""

    url: str = Field(min_length=8, max_length=address.LONGEST)
    types: str = Field("", max_length=1000)
    division_code: str = Field("", pattern=r"^[0-9]{0,12}$")


def router(app: App) -> APIRouter:
    found, book = APIRouter(), book_of(app)

    @found.post("/v1/government/webhooks", status_code=201)
    async def register_webhook(body: NewWebhook, request: Request, key: IdempotencyKey, principal: Principal = AUTHORITY) -> Response:
        """Standard Webhooks: each event as CloudEvents JSON, in order, signed with `secret` (HMAC-SHA256, `v1`), which is shown here and
        never again (but to a repetition with the same Idempotency-Key): over `webhook-id.webhook-timestamp.body`, by the bytes that it has
        as base64 behind `whsec_` (`docs/authorities.md` has a receiver). Answer 2xx within ten seconds; know repetitions by `webhook-id`.
        Refused (409): `webhook_url_refused` with `because`, `too_many_webhooks`, `position_in_the_future`, `types_unknown`."""
        community_id = community_of(principal)
        webhook_id = _id_of(community_id, key)
        place = await _place(body.url)
        if not named(body.types):
            raise Refused("types_unknown")
        after = await _after(app, community_id, body)
        others = [k for k in await book.of(community_id, principal.role) if k.webhook_id != webhook_id]
        handle = await app.keyring.key_for(community_id, f"webhook:{webhook_id}", PURPOSE)
        bound, secret = uuid7(), new_secret()
        command = RegisterWebhook(
            role=principal.role, by=principal.id, origin=place.origin, url=_box(handle, bound, "url", body.url),
            secret=_box(handle, bound, "secret", secret), types=body.types, division_code=body.division_code,
            after=await app.log.last() if after is None else after, others=len(others))
        done = await app.commands.handle(
            webhook_id, command, context(request, principal, community_id, event_id=bound), key=key,
            first=[KeyCreated(handle.key_id)] if handle.is_new else ())
        if handle.is_new:
            await app.keyring.announced(handle.key_id)
        return await shown_once(done, community_id, 201)

    @found.get("/v1/government/webhooks")
    async def list_webhooks(
        limit: Limit = 100, cursor: Annotated[Cursor, Query()] = None, principal: Principal = READER,
    ) -> Response:
        """One's own authority's; of all authorities for who keeps the community running. No secret, and of the URL its origin alone."""
        community_id = community_of(principal)
        filter_ = f"webhooks {_role(principal)}"
        after = cursor_id(cursor, filter_)
        known = [k for k in await book.of(community_id, _role(principal)) if after is None or k.webhook_id > after]
        rows = [await _shown(app, k) for k in known[:limit + 1]]
        return json(page(rows, limit, filter_, "id"))

    @found.get("/v1/government/webhooks/{webhook_id}")
    async def read_webhook(webhook_id: UUID, principal: Principal = READER) -> Response:
        """`state`: delivering, failing (since when, why, before which event) or switched_off (because it was `gone`, 410, or `failing` for
        three days); `delivered`: the latest and when; `behind`: how many stand before it."""
        for known in await book.of(community_of(principal), _role(principal)):
            if known.webhook_id == webhook_id:
                return json(await _shown(app, known))
        raise NotFound("webhook")

    @found.delete("/v1/government/webhooks/{webhook_id}", status_code=204)
    async def remove_webhook(webhook_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = AUTHORITY) -> Response:
        """Its secret is destroyed with it."""
        community_id = community_of(principal)
        there, _ = await app.commands.state(WEBHOOKS, webhook_id, community_id)
        if isinstance(there, NoWebhook):
            raise NotFound("webhook")
        key_id = there.key_id if isinstance(there, Removed) else there.target.secret.key_id
        done = await app.commands.handle(
            webhook_id, RemoveWebhook(principal.role, principal.id), context(request, principal, community_id), key=key,
            first=[KeyErased(key_id)])
        await app.keyring.erase(key_id)
        await forget(app.log, webhook_id)
        return Response(status_code=204, headers=said(done))

    @found.post("/v1/government/webhooks/{webhook_id}/secret-rotations", status_code=201)
    async def rotate_secret(webhook_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = AUTHORITY) -> Response:
        """A new secret, shown once. For 24 hours both sign (`webhook-signature` has two, a space between)."""
        community_id, asked = community_of(principal), context(request, principal, community_of(principal), event_id=uuid7())
        target = of_role((await app.commands.state(WEBHOOKS, webhook_id, community_id))[0], principal.role).target
        handle = await app.keyring.key_for(community_id, f"webhook:{webhook_id}", PURPOSE)
        if handle.key_id != target.secret.key_id or asked.event_id is None:
            raise NotFound("webhook")
        command = RotateSecret(principal.role, _box(handle, asked.event_id, "secret", new_secret()), asked.now)
        return await shown_once(await app.commands.handle(webhook_id, command, asked, key=key), community_id, 201)

    @found.post("/v1/government/webhooks/{webhook_id}/resends", status_code=201)
    async def resend(
        webhook_id: UUID, body: Begins, request: Request, key: IdempotencyKey, principal: Principal = AUTHORITY,
    ) -> Response:
        """Everything from there on again, in order, then what is new. Where to begin has to be said: 409 `position_missing`."""
        community_id = community_of(principal)
        of_role((await app.commands.state(WEBHOOKS, webhook_id, community_id))[0], principal.role)
        after = await _after(app, community_id, body)
        if after is None:
            raise Refused("position_missing")
        command = ResendFrom(principal.role, after)
        done = await app.commands.handle(webhook_id, command, context(request, principal, community_id), key=key)
        return json({"id": webhook_id}, 201, said(done))

    @found.post("/v1/government/webhooks/{webhook_id}/resumptions", status_code=201)
    async def resume_webhook(webhook_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = AUTHORITY) -> Response:
        """One that was switched off goes on where it stood; for one that was not, nothing changes."""
        asked = context(request, principal, community_of(principal))
        done = await app.commands.handle(webhook_id, ResumeWebhook(principal.role, asked.now), asked, key=key)
        return json({"id": webhook_id}, 201, said(done))

    def said(done: Done) -> dict[str, str]:
        return position_header(app.service.name, app.commands.generation, done)

    async def shown_once(done: Done, community_id: UUID, status: int) -> Response:
        """With the secret while it is the one that this command made."""
        webhook: Webhook = (await app.commands.state(WEBHOOKS, done.outcome.id, community_id))[0]
        body: dict[str, Any] = {"id": done.outcome.id, "secret": None}
        if isinstance(webhook, Delivering | Failing | SwitchedOff):
            target = webhook.target
            if target.secret.event_id in done.outcome.events and isinstance(opened := await app.keyring.open(target.secret), bytes):
                body["secret"] = opened.decode()
            body |= {"old_signs_until": target.old_until} if target.old_until else {}
        return json(body, status, said(done))

    return found


def _role(principal: Principal) -> str | None:
    """Whose webhooks they see; None: everybody's."""
    return principal.role if GOVERNMENT_READ in principal.permissions else None


def _id_of(community_id: UUID, key: Key | None) -> UUID:
    """The same for a repetition, so that one registration makes one key."""
    return uuid5(community_id, f"{key.principal} {key.route} {key.key}") if key else uuid7()


def _box(handle: KeyHandle, bound: UUID, slot: str, text: str) -> Sealed:
    return seal(handle.dek, handle.key_id, bound, slot, text)


async def _place(url: str) -> address.Place:
    """Raises Refused (`webhook_url_refused`) for a place to which nothing may go."""
    private = address.private_allowed()
    try:
        place = address.place_of(url, private)
        await address.addresses_of(place, private, LOOKING_UP)
    except address.Refused as refused:
        raise Refused("webhook_url_refused", because=refused.code) from None
    return place


async def _after(app: App, community_id: UUID, begins: Begins) -> int | None:
    """The position behind which it begins; None where no place is named. Raises Refused, NotFound."""
    if begins.from_event is not None:
        row = await app.log.event(begins.from_event)
        if row is None or row.community_id != community_id or row.source is not None or not publish(app.catalogue.read(row), row):
            raise NotFound("event")
        return row.position - 1
    if begins.from_position is None:
        return None
    position = Number.parse(begins.from_position).position
    if position > await app.log.last():
        raise Refused("position_in_the_future")
    return max(position - 1, 0)


async def _shown(app: App, known: Known) -> dict[str, Any]:
    webhook, target = known.webhook, known.webhook.target
    found: dict[str, Any] = {
        "id": known.webhook_id, "role": target.role, "origin": target.origin, "types": target.types, "division_code": target.division_code}
    match webhook:
        case Delivering():
            found |= {"state": "delivering"}
        case Failing():
            found |= {"state": "failing", "error": webhook.code, "since": webhook.since, "before_event": webhook.event_id}
        case SwitchedOff():
            found |= {
                "state": "switched_off", "because": webhook.because, "error": webhook.code, "since": webhook.since,
                "before_event": webhook.event_id, "switched_off_at": webhook.at}
    return found | await standing(app, known.community_id, known.webhook_id, target)
