"""What happens, as it happens: server-sent events read off the log by position, each follower at their own pace."""

import asyncio
import fnmatch
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from libs.contracts.permissions import LIVE_READ, LIVE_READ_OWN
from libs.eventkit.auth import Principal, Unauthorised
from libs.eventkit.http import community_of, permitted
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from libs.eventkit.tail import set_within
from services.gateway.audience import may_see, moves, shown_to
from services.gateway.reach import Viewer, learned, then
from services.gateway.tail import Shown
from services.gateway.viewing import seen_by

HEARTBEAT = 5.0
"""Seconds between comments when nothing is sent."""
FOLLOWERS = 2000
_GLOB = re.compile(r"[a-z0-9_.*?\[\]!-]{1,80}")

Types = Annotated[str, Query(max_length=1000, description="globs of event types, comma between them")]
After = Annotated[str, Header(alias="Last-Event-ID", description="the `id` of the last event that the client has had")]
Resume = Annotated[str, Query(max_length=20, description="as the header Last-Event-ID, for clients that cannot set it")]


def router(app: App) -> APIRouter:
    found, tail = APIRouter(), Shown(app.log, app.catalogue)
    followers: set[object] = set()

    @found.get("/v1/live", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
    async def follow_live(
        request: Request, types: Types = "", last_event_id: Resume = "",
        principal: Principal = permitted(LIVE_READ, LIVE_READ_OWN), resumed_after: After = "",
    ) -> Response:
        """Server-sent events, each a CloudEvent as JSON in `data`, without what is sealed; `id` is its place. It begins now, or after the
        last id: nothing is missed. A comment (`: at 17`) every five seconds while nothing happens. It ends with the token: come back
        with a new one and the last id."""
        community_id, wanted = community_of(principal), globs(types)
        resumed = position_of(resumed_after or last_event_id)
        end = await app.log.last()
        # beyond the end: the log was restored to an earlier state, and its numbers are not those that were seen
        position = end if resumed is None or resumed > end else resumed
        if len(followers) >= FOLLOWERS:
            raise Problem(503, "too_many_followers")
        token = request.headers.get("authorization", "").partition(" ")[2].strip()
        who = await seen_by(app, principal, community_id, end)  # what is theirs by what lies before the stream

        async def stream() -> AsyncIterator[bytes]:
            followers.add(me := object())
            try:
                async for chunk in follow(app, tail, principal, who, wanted, position, token):
                    yield chunk
            finally:
                followers.discard(me)

        return StreamingResponse(
            stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    return found


async def follow(
    app: App, tail: Shown, principal: Principal, who: Viewer, wanted: Callable[[str], bool], position: int, token: str
) -> AsyncIterator[bytes]:
    """Ends when the token does: the client comes back with a new one, and with its Last-Event-ID misses nothing."""
    yield b": from %d\n\n" % position
    loop = asyncio.get_running_loop()
    spoke = loop.time()
    while True:
        grown, chunk = app.wake.next, b""
        rows = await tail.after(position, grown)
        for seen in rows:
            if seen.event is None or seen.row.community_id != who.community_id:
                continue
            if moves(who, seen.event):
                who = await seen_by(app, principal, who.community_id, seen.row.position)
            who = learned(who, seen.event, seen.row)
            if wanted(seen.row.type) and may_see(who, seen.event, seen.row):
                chunk += seen.frame(shown_to(then(who, seen.row), seen.event))
        position = rows[-1].row.position if rows else position
        left = spoke + HEARTBEAT - loop.time()
        if not chunk and left <= 0:
            chunk = b": at %d\n\n" % position
        if chunk:
            if not valid(app, token):
                return
            yield chunk
            spoke = loop.time()
        elif not rows:
            await set_within(grown, left)


def valid(app: App, token: str) -> bool:
    try:
        app.verifier.verify(token, datetime.now(UTC))
    except Unauthorised:
        return False
    return True


def globs(text: str) -> Callable[[str], bool]:
    """Whether a type is wanted; without globs every one. Raises Problem 400."""
    patterns = [p.strip() for p in text.split(",") if p.strip()]
    if len(patterns) > 20 or not all(_GLOB.fullmatch(p) for p in patterns):
        raise Problem(400, "types_malformed")
    if not patterns:
        return lambda type_: True
    matches = re.compile("|".join(fnmatch.translate(p) for p in patterns)).match
    return lambda type_: matches(type_) is not None


def position_of(text: str) -> int | None:
    """Raises Problem 400."""
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Problem(400, "last_event_id_malformed")
    return int(text)
