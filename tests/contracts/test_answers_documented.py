"""What a client is told of answers, in `docs/openapi/lifang.json` (which `test_documents.py` holds to the code): headers, types, and the
codes of what is refused."""

import json

import pytest

from cli.contracts.openapi import OPENAPI

PATHS = json.loads((OPENAPI / "lifang.json").read_text())["paths"]
KEPT, STALE, ONCE, WROTE = {"Cache-Control"}, {"Lifang-Stale"}, {"Idempotency-Replayed", "Lifang-Position"}, {"Lifang-Position"}


@pytest.mark.parametrize(("method", "path", "status", "said"), [
    ("get", "me/doors", "200", {"ETag", *KEPT, *STALE}), ("get", "me/doors", "304", {"ETag", *KEPT, *STALE}),
    ("get", "me/export", "200", {"Content-Disposition", *KEPT, *STALE}), ("get", "live", "200", KEPT), ("get", "incidents", "200", STALE),
    ("post", "doors/{door_id}/openings", "201", {"Location", *ONCE}), ("put", "doors/{door_id}", "200", {"ETag", *ONCE}),
    ("post", "incidents", "201", {"ETag", "Location", *ONCE}), ("get", "residents/{resident_id}", "200", {"ETag", *STALE}),
    ("post", "visitor-passes", "201", {"Location", *KEPT, *ONCE}), ("post", "sign-ins", "202", WROTE),
    ("post", "residents/{resident_id}/disclosures", "201", {"ETag", *KEPT, *ONCE})])
def test_an_answer_stands_there_with_the_headers_that_the_code_writes(method, path, status, said):
    assert PATHS[f"/v1/{path}"][method]["responses"][status].get("headers", {}).keys() == said


def test_what_is_streamed_is_no_other_type():
    types = {path: [*PATHS[path]["get"]["responses"]["200"]["content"]] for path in ("/v1/live", "/v1/me/export")}
    assert types == {"/v1/live": ["text/event-stream"], "/v1/me/export": ["application/json"]}
    named = {path: {p["name"] for p in PATHS[path]["get"]["parameters"] if p["in"] == "header"} for path in ("/v1/live", "/v1/me/doors")}
    assert named == {"/v1/live": {"Last-Event-ID"}, "/v1/me/doors": {"If-None-Match", "Lifang-Min-Position"}}


def test_a_code_that_has_a_name_is_found():
    for method, path in (("patch", "/v1/residents/{resident_id}"), ("get", "/v1/me/export")):
        refused = PATHS[path][method]["responses"]["409"]
        assert refused["x-codes"] == ["resident_erased"] and refused["x-codes-complete"], path
