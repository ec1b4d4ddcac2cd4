"""The short way from a request to its route. FastAPI declares, checks and documents routes, and answers what is not known here (404, 405,
streams, forms). Left out is what any route may have and ours have not: with it, an answer took more than twice the time."""
import inspect
from collections.abc import Iterable
from dataclasses import fields
from typing import Any
from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_body_to_args, request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import RouteContext
from pydantic_core import PydanticUndefined, ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

_FOUND = {"path_params", "query_params", "header_params", "body_params", "dependencies", "name", "call", "path", "request_param_name",
          "use_cache", "scope"}
class _Asked(Request):
    async def body(self) -> bytes:
        return self.scope["body"] if "body" in self.scope else await super().body()
class Direct:
    """Pure ASGI. A route is found by the literal segments of its path; of two that fit, the one with more of them."""
    def __init__(self, asgi: ASGIApp, routes: Iterable[RouteContext]) -> None:
        self._asgi = asgi  # routes by method and number of segments, by which of these are literal, by what they say
        self._routes: dict[tuple[str, int], dict[tuple[int, ...], dict[tuple[str, ...], tuple[RouteContext, bool, dict[str, int]]]]] = {}
        for route in sorted(routes, key=lambda route: str(route.path).count("{")):
            parts = str(route.path).split("/")
            literal = tuple(n for n, part in enumerate(parts) if "{" not in part)
            found = route, _known(route), {part[1:-1]: n for n, part in enumerate(parts) if n not in literal}
            for method in route.methods or ():
                of_form = self._routes.setdefault((method, len(parts)), {}).setdefault(literal, {})
                of_form.setdefault(tuple(parts[n] for n in literal), found)
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts = scope["path"].split("/") if scope["type"] == "http" else ()
        for literal, routes in self._routes.get((scope.get("method", ""), len(parts)), {}).items():
            route, known, names = routes.get(tuple([parts[n] for n in literal]), (None, False, {}))
            if route is not None and all(parts[n] for n in names.values()):
                if not known:
                    break
                scope["route"], scope["path_params"] = route, {name: parts[n] for name, n in names.items()}
                heads = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"][::-1]}  # of two the first
                asked = _Asked(scope, receive, send)
                asked.headers.get = lambda name, default=None, heads=heads: heads.get(name.lower(), default)  # type: ignore
                values = await _values(route.dependant, asked, errors := list[Any]())
                if errors:
                    raise RequestValidationError(errors)
                return await (await route.endpoint(**values))(scope, receive, send)  # type: ignore[misc, no-any-return]
        await self._asgi(scope, receive, send)
def _known(of: RouteContext) -> bool:
    return getattr(of.endpoint, "__annotations__", {}).get("return") is Response and _plain(d := of.dependant) and len(d.body_params) < 2
def _plain(asked: Dependant) -> bool:
    """Whether it asks for nothing but what `_values` finds, as far as any field of it says."""
    more = {field.name for field in fields(asked) if getattr(asked, field.name)} - _FOUND
    return not more and inspect.iscoroutinefunction(asked.call) and all(_plain(d) and not d.body_params for d in asked.dependencies)
async def _values(asked: Dependant, request: Request, errors: list[Any]) -> dict[str, Any]:
    """What a route, or what it depends on, is called with; guards come first, whatever else there is. Adds to `errors`."""
    found: dict[str, Any] = {asked.request_param_name: request} if asked.request_param_name else {}
    for part in asked.dependencies:
        before, its = len(errors), await _values(part, request, errors)
        said = await part.call(**its) if len(errors) == before else None  # type: ignore[misc]
        found |= {part.name: said} if part.name else {}
    for field in asked.path_params:
        found[field.name], wrong = field.validate(request.path_params[field.alias], loc=("path", field.alias))
        errors += wrong
    sent = ("query_params", asked.query_params), ("headers", asked.header_params)
    for known in (*[request_params_to_args(wanted, getattr(request, of)) for of, wanted in sent if wanted],
                  await _read(asked.body_params[0], request) if asked.body_params else None):
        if known:
            found, errors[len(errors):] = found | known[0], known[1]
    return found
async def _read(field: Any, request: Request) -> tuple[dict[str, Any], list[Any]]:
    """A body as its type says and RFC 8259 writes it: no text or `true` where a number belongs, as it would be taken for one in a query."""
    body, kind = await request.body(), request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind.startswith("application/") or not kind.endswith(("/json", "+json")) or not body:
        return await request_body_to_args([field], body or PydanticUndefined, False)
    try:
        return {field.name: field._type_adapter.validate_json(body, strict=True)}, []
    except ValidationError as error:
        return {}, [e | {"loc": ("body", *e["loc"])} for e in error.errors(include_input=False)]
