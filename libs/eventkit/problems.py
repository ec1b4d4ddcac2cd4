"""Every error is application/problem+json (RFC 9457) with a stable `code`; no error text holds personal data."""
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
import asyncpg
import msgspec
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from libs.eventkit import auth, commands, db, decider, recorded

log = logging.getLogger(__name__)
class Problem(Exception):
    """An answer that is an error: status, stable code, and facts free of personal data."""
    def __init__(self, status: int, code: str, detail: str = "", headers: dict[str, str] | None = None, **facts: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.detail, self.headers, self.facts = status, code, detail, headers or {}, facts
def answer(status: int, code: str, detail: str = "", headers: dict[str, str] | None = None, **facts: Any) -> Response:
    body = {**facts, "type": f"urn:lifang:problem:{code}", "title": HTTPStatus(status).phrase, "status": status, "code": code}
    body |= {"detail": detail} if detail else {}
    usual = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}.get(status, {})
    return Response(msgspec.json.encode(body), status, {**usual, **(headers or {})}, media_type="application/problem+json")
def translate(error: Exception) -> Response:
    """The answer that an error stands for; one that nobody foresaw is logged."""
    match error:
        case Problem():
            return answer(error.status, error.code, error.detail, error.headers, **error.facts)
        case auth.Unauthorised():
            return answer(401, str(error))
        case decider.Refused():
            return answer(409, error.code, **msgspec.to_builtins(error.facts))
        case decider.NotFound():
            return answer(404, f"{error}_not_found".replace("-", "_"))
        case recorded.UnknownVersion() | asyncpg.UndefinedColumnError() | asyncpg.UndefinedTableError():
            return answer(503, "not_ready", "a newer version of this service has been here")
        case decider.NotYet():
            return answer(503, "not_ready", "a fact that this rests on has not been heard yet")
        case commands.KeyReused():
            return answer(422, "idempotency_key_reused", "the key stood for another body")
        case decider.VersionMismatch():
            return answer(412, "version_mismatch")
        case RequestValidationError():
            return answer(422, "invalid", fields=[{"at": list(e["loc"]), "code": e["type"]} for e in error.errors()[:20]])
        case HTTPException():
            code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
            return answer(error.status_code, code, headers=dict(error.headers or {}))
        case _ if db.is_away(error) or isinstance(error, asyncpg.QueryCanceledError):  # the latter took too long (S17)
            return answer(503, "unavailable", "ask again; a command, whose outcome is unknown, with the same Idempotency-Key")
    log.error("nobody foresaw this", exc_info=error)
    return answer(500, "internal")
async def handle(request: Request, error: Exception) -> Response:  # what the framework would answer in its own way
    return translate(error)
HANDLERS: dict[int | type[Exception], Callable[..., Any]] = {RequestValidationError: handle, HTTPException: handle}
