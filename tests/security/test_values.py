"""S4: a value is taken for what it is or refused. None is so large, so far away or so odd that a service does not know what to say."""

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

from libs.eventkit.privacy import base64url
from tests.documented import missing, operation
from tests.security.asking import Answer, ask
from tests.security.bodies import body_of
from tests.security.conftest import SERVICES, Signed
from tests.security.matrix import ROLES, expected
from tests.security.test_answers import bodies

Served = Callable[[str], Awaitable[FastAPI]]
FAR = (
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", "1999-12-31T23:59:59Z", "2026",
    "2026-01-01T00:00:00")
OTHER: dict[str, tuple[Any, ...]] = {
    "integer": (True, "1", 1.5, [1], {}, None), "number": (True, "1", [1], {}, None), "boolean": (1, 0, "true", [], None),
    "string": (1, True, ["x"], {}, "\ud800", None), "array": ({}, "x", 1, None), "object": ([], "x", 1, None)}
"""By what a schema asks for: what is something else."""
EXTREME: dict[str, tuple[Any, ...]] = {
    "integer": (-1, 0, 2**31, 2**63, 10**30), "number": (-1e308, 1e308, 0), "string": ("", " ", "x" * 5000, "\u202e🚗", "\x7f\n"),
    "array": ([], ["x"] * 2000, [None], [[]]), "object": ({}, {"": 1}, {"x" * 5000: 10**30})}
DAYS = ("0001-01-01", "9999-12-31", "2026-02-30", "20260101")
"""What may be taken or not, as long as it is answered."""
HUGE = ("9" * 30, "-" + "9" * 30, "99999999999", "1e400", "nan")
ODD = ("", "%00", "%FF", "%F0%9F%9A%97", "x" * 5000, "%ED%A0%80", "'", "..", *HUGE)


def opaque(value: Any) -> str:
    """As positions are given out."""
    return base64url(json.dumps(value).encode())


HEADERS = {
    "if-match": ('"' + "9" * 30 + '"', "-1", '""', "W/", "*"),
    "lifang-min-position": (
        "x", opaque([]), opaque(["identity", 10**30, ""]), opaque(["gateway", -1, "x"]), opaque([1, 2, 3]), opaque({})),
    "idempotency-key": ("", "x" * 201, "é", " "), "x-request-id": ("é", "x" * 5000, "\t"), "traceparent": ("x", "00-0-0-0"),
    "accept-language": ("x" * 5000, ";q=", "zh;q=nan"), "last-event-id": ("x", "9" * 30, "-1")}
NUMBERS = ("x", "1", "1.2.3.4", "-1.-1.-1", "1.2." + "9" * 19, "9" * 30 + ".1.1")


def named(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The properties of a body."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return dict(schema.get("properties", {}))


def wrong_for(schema: dict[str, Any]) -> Iterator[Any]:
    """Values that are not what is asked for."""
    forms = [s for s in schema.get("anyOf", [schema]) if s.get("type") != "null"]
    kinds = {form.get("type") for form in forms}
    if len(forms) == 1 and kinds <= OTHER.keys():
        yield from (v for v in OTHER[kinds.pop()] if v is not None or "anyOf" not in schema)
        if forms[0].get("format") == "date-time":
            yield from FAR


def extremes_for(schema: dict[str, Any]) -> Iterator[Any]:
    for form in schema.get("anyOf", [schema]):
        yield from DAYS if form.get("format") == "date" else EXTREME.get(form.get("type"), ())


def asking(app: FastAPI, signed: Signed, service: str, route: str) -> Callable[..., Awaitable[Answer]]:
    method, path = route.split(" ")
    role = next((r for r in ROLES if r in expected(service)[route]), "")
    token = signed.token(role) if role else ""

    async def asked(body: object = None, query: str = "", headers: dict[str, str] | None = None, **parts: str) -> Answer:
        target = re.sub(r"{(\w+)}", lambda m: parts.get(m[1]) or {"severity": "high"}.get(m[1]) or str(uuid4()), path)
        return await ask(app, method, target + query, token, body, {"if-match": '"1"', **(headers or {})})

    return asked


@pytest.mark.parametrize("service", [s for s in SERVICES if s != "gateway"])
async def test_a_body_is_taken_for_what_it_is(served: Served, signed: Signed, service: str):
    """The gateway passes bodies on unread: they are refused where they are understood."""
    app, wrong = await served(service), []
    document = app.openapi()
    for route in bodies(service):
        method, path = route.split(" ")
        body, ask_it = body_of(document, route), asking(app, signed, service, route)
        if not isinstance(body, dict) or "secret" in expected(service)[route]:
            continue
        content = document["paths"][path][method.lower()]["requestBody"]["content"]
        for name, schema in named(document, next(iter(content.values()))["schema"]).items():
            for value in wrong_for(schema):
                answer = await ask_it({**body, name: value})
                if (answer.status, answer.code) != (422, "invalid"):
                    wrong.append(f"{route}: {name} = {value!r}: {answer.status} {answer.body[:200]!r}")
            for value in extremes_for(schema):
                answer = await ask_it({**body, name: value})
                lacks = missing(service, method, path, answer.status, answer.code)
                if answer.status >= 500 or lacks:
                    wrong.append(f"{route}: {name} = {str(value)[:60]}: {answer.status} {answer.code} {lacks}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("service", SERVICES)
async def test_what_is_huge_far_or_odd_is_answered_as_documented(served: Served, signed: Signed, service: str):
    app, wrong = await served(service), []
    document = app.openapi()
    for route in expected(service):
        method, path = route.split(" ")
        known, ask_it = operation(service, method, path), asking(app, signed, service, route)
        if known is None or route == "GET /v1/live" or (service == "gateway" and "x-served-by" in known):
            continue  # what is passed on is understood elsewhere
        body = body_of(document, route)
        tries: list[dict[str, Any]] = [{"headers": {name: value}} for name, values in HEADERS.items() for value in values]
        elsewhere = "devices" if service == "gateway" else "gateway"  # for one's own position one waits
        tries += [{"headers": {"lifang-min-position": opaque([elsewhere, 1, number])}} for number in NUMBERS]
        for parameter in known.get("parameters", ()):
            if parameter["in"] == "path":
                tries += [{parameter["name"]: value} for value in ODD if value]
            elif parameter["in"] == "query":
                tries += [{"query": f"?{parameter['name']}={value}"} for value in (*ODD, *(f.replace("+", "%2B") for f in FAR))]
        for tried in tries:
            answer = await ask_it(body, **tried)
            lacks = missing(service, method, path, answer.status, answer.code)
            if (answer.status >= 500 and answer.code != "upstream_unavailable") or lacks:
                wrong.append(f"{route} {str(tried)[:90]}: {answer.status} {answer.code} {lacks}")
    assert not wrong, "\n".join(wrong)
