"""What a service says of itself: alive, ready and why not, how far every reader is behind."""
import time
from typing import Any
from fastapi import APIRouter, Response
from msgspec.json import decode
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from libs.eventkit import http, obs, problems, service

async def status(app: service.App) -> dict[str, Any]:
    """Raises what the database says while it cannot be reached. Where one community's event is missing the service still `serves`."""
    found: dict[str, Any] = decode(await (await app.database.pool()).fetchval("select state_of($1)", [*app.checkpoints()]))
    found["lag"] |= {"hear": app.hearing.lag()} if app.hearing is not None else {}
    found["damaged"] += sum(len(m.unreadable) for m in app.memories)
    why = [*(f"{name}: {text}" for name, text in sorted(app.supervisor.failing.items())),
        *([] if app.verifier.ready else ["no signing key heard yet"]), *(f"memory {m.name} is cold" for m in app.memories if not m.warm),
        *(["keys are read: some may be erased"] if app.keys_heard is not None and not app.keys_heard.is_set() else []),
        *([f"relay refuses: {app.relay.asks_for}"] if app.relay is not None and app.relay.asks_for else [])]
    gaps = [f"{g['topic']} lacks {g['after'] or '0.0.0'}..{g['upto']} of {g['community_id']}: lifang republish" for g in found["gaps"]]
    return {"ready": not why + gaps, "serves": not why, **found, "why": why + gaps, "restarts": app.supervisor.restarts,
            "refuses": bool(app.relay and app.relay.asks_for), "unknown": app.hearing.counts["unknown"] if app.hearing else 0}
def routes(app: service.App) -> APIRouter:
    """Health and metrics; until the service has its database, the Edge lets nobody through to those that do not end in z.
    `/livez` touches nothing; `/readyz` asks the database; none of them names a person."""
    router, begun, counted = APIRouter(), time.monotonic(), dict[str, int]()
    @router.get("/livez", dependencies=[http.open_to_all], include_in_schema=False)
    async def livez() -> Response:
        return http.json({"alive": True})
    @router.get("/startupz", dependencies=[http.open_to_all], include_in_schema=False)
    async def startupz() -> Response:
        return http.json({"started": True}) if app.opened else problems.answer(503, "not_ready", "starting")
    @router.get("/readyz", dependencies=[http.open_to_all], include_in_schema=False)
    async def readyz() -> Response:
        if not app.opened:
            return problems.answer(503, "not_ready", "starting", why=list(app.supervisor.failing.values()))
        found = await status(app)  # 503 by itself while the database does not answer
        return http.json({"ready": True}) if found["serves"] else problems.answer(503, "not_ready", why=found["why"])
    @router.get("/internal/status", dependencies=[http.open_to_all], include_in_schema=False)
    async def internal_status() -> Response:
        return http.json({**await status(app), "uptime_seconds": round(time.monotonic() - begun, 1)})
    @router.get("/metrics", dependencies=[http.open_to_all], include_in_schema=False)
    async def metrics() -> Response:
        name, found = app.service.name, await status(app)
        counts = {"gaps": len(found["gaps"]), "unsealed": found["sealed_behind"]["seconds"]}
        for state, gauge in obs.STATES.items():
            gauge.labels(name).set((found | counts)[state])
        for gauge, of in ((obs.LAG, found["lag"]), (obs.RESTARTS, found["restarts"])):
            for label, value in of.items():
                gauge.labels(name, label).set(value)
        for answer, count in (app.hearing.counts if app.hearing is not None else {}).items():
            obs.HEARD.labels(name, answer).inc(count - counted.get(answer, 0))
            counted[answer] = count
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
    return router
