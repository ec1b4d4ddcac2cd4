"""Every error is application/problem+json (RFC 9457) with a stable `code`; no error text holds personal data."""

from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from libs.eventkit.auth import Unauthorised
from libs.eventkit.commands import KeyReused, VersionMismatch
from libs.eventkit.db import AWAY, is_away
from libs.eventkit.decider import NotFound, NotYet, Refused

TITLES = {
    400: "Bad request", 401: "Not signed in", 403: "Not allowed", 404: "Not found", 405: "Method not allowed", 409: "Refused by a rule",
    412: "Changed meanwhile", 413: "Too large", 415: "Unsupported media type", 422: "Not understood", 428: "Precondition required",
    429: "Too many requests", 500: "Our fault", 502: "Upstream failed", 503: "Not ready", 504: "Upstream too slow",
}


class Problem(Exception):
    """An answer that is an error: status, stable code, and facts free of personal data."""

    def __init__(self, status: int, code: str, detail: str = "", headers: dict[str, str] | None = None, **facts: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.detail, self.headers, self.facts = status, code, detail, headers or {}, facts


def answer(status: int, code: str, detail: str = "", headers: dict[str, str] | None = None, **facts: Any) -> Response:
    body = {"type": f"urn:lifang:problem:{code}", "title": TITLES.get(status, "Error"), "status": status, "code": code}
    if detail:
        body["detail"] = detail
    extra = dict(headers or {})
    if status == 401:
        extra.setdefault("WWW-Authenticate", "Bearer")
    if status == 503:
        extra.setdefault("Retry-After", "1")
    return Response(msgspec.json.encode({**facts, **body}), status, extra, media_type="application/problem+json")


def translate(error: Exception) -> Response | None:
    """The answer that an error stands for; None for one that nobody foresaw."""
    match error:
        case Problem():
            return answer(error.status, error.code, error.detail, error.headers, **error.facts)
        case Unauthorised():
            return answer(401, error.code)
        case Refused():
            return answer(409, error.code, **msgspec.to_builtins(error.facts))
        case NotFound():
            return answer(404, f"{error.what.replace('-', '_')}_not_found")
        case NotYet():
            return answer(503, "not_ready", "a fact that this rests on has not been heard yet")
        case KeyReused():
            return answer(422, "idempotency_key_reused", "the key stood for another body")
        case VersionMismatch():
            return answer(412, "version_mismatch")
        case RequestValidationError():
            fields = [{"at": list(e["loc"]), "code": e["type"]} for e in error.errors()[:20]]
            return answer(422, "invalid", fields=fields)
        case HTTPException():
            code = TITLES.get(error.status_code, "error").lower().replace(" ", "_")
            return answer(error.status_code, code, headers=dict(error.headers or {}))
        case _ if is_away(error):
            return answer(503, "unavailable", "ask again; a command, whose outcome is unknown, with the same Idempotency-Key")
    return None


def install(app: FastAPI) -> None:
    async def handle(request: Request, error: Exception) -> Response:
        return translate(error) or answer(500, "internal")

    for kind in (Problem, Unauthorised, Refused, NotFound, NotYet, KeyReused, VersionMismatch, RequestValidationError,
                 HTTPException, *AWAY):
        app.add_exception_handler(kind, handle)
