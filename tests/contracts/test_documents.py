"""The generated documents are up to date and what they claim to be; the official schemas and validators say so."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from cli import streams
from cli.contracts import asyncapi, openapi, schemas
from libs.eventkit.commands import Public
from libs.eventkit.envelope import headers
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.privacy import KeyRecord
from libs.eventkit.recorded import Meta, Number, tag_of
from services.gateway.api import routes as gateway_routes
from tests.kit import recorded

PUBLISHED = list(schemas.published())
NAMES = [tag_of(c) for _, c in PUBLISHED]
# of the npm package @asyncapi/specs 6.11.1, © AsyncAPI Initiative, Apache License 2.0
OFFICIAL = json.loads(Path(__file__).with_name("asyncapi-3.1.0.schema.json").read_text())
CHECKER = Draft202012Validator.FORMAT_CHECKER


@pytest.fixture(scope="module")
def documents():
    return streams.documents()


@pytest.fixture(scope="module")
def openapis():
    return openapi.documents()


def test_every_document_is_up_to_date_and_none_is_left_over(documents):
    stale = [str(path) for path, text in documents.items() if not path.exists() or path.read_text() != text]
    assert stale == [], f"run {streams.COMMAND}"
    assert streams.generated() - documents.keys() == set(), f"run {streams.COMMAND}"


def test_documents_come_out_the_same_every_time(documents):
    assert streams.documents() == documents


# payloads


@pytest.mark.parametrize(("service", "contract"), PUBLISHED, ids=NAMES)
def test_a_schema_takes_its_golden_file_and_nothing_broken(service, contract):
    schema = schemas.schema_of(contract)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=CHECKER)
    golden = json.loads(streams.golden_path(f"public/{service}", contract, schemas.version_of(contract)).read_text())
    assert list(validator.iter_errors(golden)) == []
    assert validator.is_valid({**golden, "said_by_a_later_version": 1}), "readers skip what they do not know"
    for name in schema["required"]:
        assert not validator.is_valid({k: v for k, v in golden.items() if k != name}), f"{name} was not missed"
        assert not validator.is_valid({**golden, name: [{}]}), f"{name} may be anything"
    for name, of in schema["properties"].items():
        if of.get("format") in ("uuid", "date-time", "date"):
            assert not validator.is_valid({**golden, name: "no such thing"}), f"{name}: the format is not looked at"


def test_a_sealed_field_is_described():
    schema = schemas.schema_of(dict(zip(NAMES, (c for _, c in PUBLISHED), strict=True))["identity.resident_registered"])
    assert schema["properties"]["name"] == {"$ref": "#/$defs/SealedField"}
    assert set(schema["$defs"]["SealedField"]["required"]) == {"key_id", "event_id", "slot", "box"}


# topics


def test_the_asyncapi_document_is_one():
    document = yaml.safe_load(asyncapi.DOCUMENT.read_text())
    assert document == asyncapi.document()
    official = Draft7Validator(OFFICIAL)
    assert [e.message for e in official.iter_errors(document)] == []
    for broken in (
        {"asyncapi": "2.6.0"}, {"info": {}}, {"operations": {"x": {"action": "shout"}}}, {"channels": {"x": {"address": 1}}},
    ):
        assert not official.is_valid({**document, **broken}), f"the official schema takes {broken}"


def test_the_asyncapi_document_says_how_a_subscriber_signs_in():
    document = asyncapi.document()
    (scheme,) = document["servers"]["kafka"]["security"]
    assert document["components"]["securitySchemes"][scheme["$ref"].rpartition("/")[2]]["type"] == "scramSha512"


def test_every_reference_of_the_asyncapi_document_leads_somewhere():
    document = asyncapi.document()

    def check(part):
        if isinstance(part, dict) and "$ref" in part:
            found = document
            for step in part["$ref"].removeprefix("#/").split("/"):
                found = found[step]
        for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            check(inner)

    check(document)


def test_the_asyncapi_document_says_what_the_services_declare():
    document = asyncapi.document()
    for service in streams.services():
        of = {k: v for k, v in document["operations"].items() if k.startswith(f"{service.name}.")}
        received = {v["channel"]["$ref"].rpartition("/")[2] for v in of.values() if v["action"] == "receive"} - {"keys"}
        assert received == set(service.hears)
        assert {v["channel"]["$ref"].rpartition("/")[2] for v in of.values() if v["action"] == "send"} - {"keys"} <= {service.name}
    said = {m for c, of in document["channels"].items() if c != "keys" for m in of["messages"]}
    assert said == set(NAMES)


def test_examples_of_messages_go_with_their_payloads():
    document = asyncapi.document()
    for name in NAMES:
        message = document["components"]["messages"][name]
        whole = {"components": document["components"], **message["payload"]}
        validator = Draft202012Validator(whole, format_checker=CHECKER)
        assert [list(validator.iter_errors(e["payload"])) for e in message["examples"]] == [[]]


def test_the_headers_are_those_that_the_relay_writes():
    document, moment = asyncapi.document(), datetime(2026, 1, 2, tzinfo=UTC)
    contract = next(c for _, c in PUBLISHED)
    meta = Meta(correlation="c", caused_by=(UUID(int=1),), requested_at=moment, occurred_at=moment, traceparent="t")
    row = recorded(streams.example(contract), UUID(int=2), stream="community:x", meta=meta)
    written = {k: v.decode() for k, v in headers(row, Public(streams.example(contract)), 0, "identity", 1, Number())}
    schema = document["components"]["messages"][tag_of(contract)]["headers"]
    validator = Draft202012Validator({"components": document["components"], **schema}, format_checker=CHECKER)
    assert [e.message for e in validator.iter_errors(written)] == []
    assert written.keys() == asyncapi.HEADERS.keys()
    for name, (needed, _, _) in asyncapi.HEADERS.items():
        assert validator.is_valid({k: v for k, v in written.items() if k != name}) is not needed, name
    assert not validator.is_valid({**written, "ce_type": "identity.something_else"})


def test_a_key_on_its_topic_goes_with_its_schema():
    document = asyncapi.document()
    validator = Draft202012Validator({"components": document["components"], "$ref": "#/components/schemas/KeyRecord"})
    assert validator.is_valid(json.loads(msgspec.json.encode(streams.example(KeyRecord))))
    assert not validator.is_valid({"key_id": str(UUID(int=1))})
    assert tag_of(KeyCreated) not in document["components"]["messages"], "what rests in the log alone is not said"


# routes


@pytest.mark.parametrize("name", ["lifang", *(name for name in streams.SERVICES if name != openapi.GATEWAY)])
def test_an_openapi_document_is_one(openapis, name):
    document = openapis[name]
    assert [e.message for e in OpenAPIV31SpecValidator(document).iter_errors()] == []
    ids = [of["operationId"] for path in document["paths"].values() for of in path.values()]
    assert len(set(ids)) == len(ids)
    for path, methods in document["paths"].items():
        for method, of in methods.items():
            where = f"{method} {path}"
            assert of["summary"] and of["tags"] and of["operationId"], where
            assert of["security"] == [] or set(of["security"][0]) <= document["components"]["securitySchemes"].keys(), where
            refused = {s: a for s, a in of["responses"].items() if s >= "4"}
            assert {"500", "503"} <= refused.keys(), where
            assert "401" in refused or not of["security"], where
            assert all(list(a["content"]) == ["application/problem+json"] and (a["x-codes"] or not a["x-codes-complete"])
                       for a in refused.values()), where


def test_a_broken_openapi_document_is_none(openapis):
    paths = {"/v1/doors/{door_id}": {"get": {"responses": {"200": {"description": "no such parameter"}}}}}
    assert list(OpenAPIV31SpecValidator({**openapis["lifang"], "paths": paths}).iter_errors())


def codes(document, method, path, status):
    return set(document["paths"][path][method]["responses"][status]["x-codes"])


def test_what_routes_refuse_is_found_in_what_they_call(openapis):
    identity, access = openapis["identity"], openapis["access"]
    assert codes(identity, "post", "/v1/accounts", "409") == {
        "account_already_opened", "account_closed", "phone_taken", "resident_erased", "role_has_no_account"}
    assert codes(identity, "post", "/v1/sign-ins", "429") == {"too_many_codes"}
    assert codes(identity, "patch", "/v1/residents/{resident_id}", "428") == {"if_match_required"}
    assert codes(access, "post", "/v1/doors/{door_id}/openings", "409") == {
        "credential_expired", "credential_unknown", "device_retired", "floor_not_permitted", "no_right_for_this_door", "resident_erased"}
    assert codes(access, "post", "/v1/doors/{door_id}/openings", "404") == {"door_not_found"}
    assert codes(access, "get", "/v1/doors", "400") == {"cursor_malformed", "cursor_of_another_filter", "position_malformed"}


INCIDENT, NOTICE, BROADCAST = "incidents/{incident_id}", "notices/{notice_id}", "broadcasts/{broadcast_id}"
PASSED_ON_ABOUT_PEOPLE = {
    "get": ("me/consents", "consents"), "put": ("me/consents/{purpose}",),
    "post": ("me/erasure", "residents/{resident_id}/erasures", "residents/{resident_id}/disclosures")}
PASSED_ON_TO_THE_REGISTER = {
    "get": ("me/sessions", "accounts", "buildings", "homes", "residents", "residents/{resident_id}", "residences", "probing-findings"),
    "put": ("accounts/{account_id}/phone",),
    "post": ("accounts", "buildings", "homes", "residents", "residents/{resident_id}/residences", "residences/{residence_id}/end"),
    "patch": ("residents/{resident_id}",),
    "delete": ("accounts/{account_id}", "accounts/{account_id}/sessions", "me/sessions", "me/sessions/{session_id}")}
RIGHT, LOT = "parking/plate-rights", "parking/lots"
PASSED_ON_TO_SET_UP = {
    "get": ("lifts", "credentials", "credentials/{credential_id}/readers", LOT, f"{LOT}/{{lot_id}}/tariffs", f"{LOT}/{{lot_id}}/spaces",
            "parking/lanes", RIGHT),
    "put": ("doors/{door_id}", "lifts/{lift_id}", "homes/{home_id}/floor", f"{LOT}/{{lot_id}}", "parking/lanes/{lane_id}",
            f"{RIGHT}/{{right_id}}"),
    "post": ("doors", "lifts", "credentials", LOT, f"{LOT}/{{lot_id}}/tariffs", "parking/spaces", "parking/lanes", RIGHT),
    "delete": ("credentials/{credential_id}", "parking/spaces/{space_id}", f"{RIGHT}/{{right_id}}")}
VEHICLE, RESIDENT, ORGANISATION = "vehicles/{vehicle_id}", "residents/{resident_id}", "organisations/{organisation_id}"
PASSED_ON_WITH_PAPERS = {
    "get": ("vehicles", VEHICLE, "organisations", ORGANISATION), "patch": (VEHICLE, ORGANISATION), "delete": (
        VEHICLE, f"{VEHICLE}/keeper", f"{RESIDENT}/guardians/{{guardian_id}}", f"{RESIDENT}/id-number"),
    "put": (f"{RESIDENT}/id-number", f"{RESIDENT}/guardians/{{guardian_id}}"),
    "post": ("vehicles", f"{VEHICLE}/verification", f"{VEHICLE}/keeper", f"{VEHICLE}/disclosures", "organisations",
             f"{RESIDENT}/id-number/confirmation")}
STAY = "parking-sessions/{session_id}"
PASSED_ON_AT_THE_GATE = {
    "get": ("visitor-passes", "visitor-passes/{pass_id}", "visitor-qr-keys", "me/visitor-notices", "notice-deliveries",
            "notice-deliveries/counts", "face-templates", "parking-sessions", f"{STAY}/bill", f"{LOT}/{{lot_id}}/occupancy"),
    "post": ("doors/{door_id}/openings", "lifts/{lift_id}/openings", "visitor-passes", "visitor-passes/{pass_id}/revocations",
             f"{STAY}/payments", f"{STAY}/quarantines", f"{STAY}/settlements", f"{STAY}/corrections",
             "permits/{right_id}/renewals", "lanes/{lane_id}/openings",
             "parking-findings/{finding_id}/settlements")}
DEVICE = "devices/{device_id}"
PASSED_ON_OF_DEVICES = {
    "get": ("devices", DEVICE, f"{DEVICE}/findings", "devices/unplaced-findings"),
    "put": (f"{DEVICE}/address", DEVICE), "delete": (DEVICE,),
    "post": ("devices", f"{DEVICE}/enrolments", f"{DEVICE}/enrolment-codes")}
PASSED_ON_PATROL = {
    "get": ("patrol-points", "patrol-routes", "patrol-scans", "patrol-rounds", "patrol-rounds/{round_id}"),
    "put": ("patrol-points/{point_id}", "patrol-routes/{route_id}"), "post": ("patrol-points", "patrol-routes", "patrol-scans")}
CARE, MY_CARE = "care/{home_id}", "me/care/{home_id}"
PASSED_ON_CARE = {
    "get": ("care", CARE, "wellness-checks", "me/care"), "delete": (CARE, MY_CARE), "post": (f"{CARE}/checks", f"{CARE}/answers"),
    "put": (CARE, MY_CARE, f"{MY_CARE}/absence", "me/helping/{home_id}")}
PASSED_ON = (
    PASSED_ON_PATROL, PASSED_ON_CARE, PASSED_ON_ABOUT_PEOPLE, PASSED_ON_TO_THE_REGISTER, PASSED_ON_TO_SET_UP, PASSED_ON_WITH_PAPERS,
    PASSED_ON_AT_THE_GATE, PASSED_ON_OF_DEVICES)
PASSED_ON_IN_A_FIRE = {
    "get": ("panels", "panels/{panel_id}/signals", "sensors", "ladders", f"{NOTICE}/receipts", "broadcasts", "me/display-name",
            "me/circles", "circles/{circle_id}/members"),
    "put": ("panels/{panel_id}", "sensors/{sensor_id}", "ladders/{severity}", "me/display-name"),
    "post": ("sos", "incidents", *(f"{INCIDENT}/{step}" for step in (
        "acknowledgements", "verifications", "false-alarms", "dispatches", "resolutions")), "panels", "sensors", "fire-releases",
        "fire-releases/{release_id}/endings", "notices", f"{NOTICE}/withdrawals", f"{NOTICE}/receipts", "broadcasts",
        f"{BROADCAST}/receipts", f"{BROADCAST}/endings", "residents/{resident_id}/population-declarations")}


def test_the_merged_document_has_the_bodies_of_the_services_behind_the_gateway(openapis):
    merged, identity = openapis["lifang"], openapis["identity"]
    passed_on = {(m, p) for p, methods in merged["paths"].items() for m, of in methods.items() if "x-served-by" in of}
    assert passed_on == {
        ("post", "/v1/sign-ins"), ("post", "/v1/sign-ins/{sign_in_id}/tokens"), ("post", "/v1/token-renewals"),
        ("delete", "/v1/sessions/current"),
        *((m, f"/v1/{p}") for of in (PASSED_ON_IN_A_FIRE, *PASSED_ON) for m, paths in of.items() for p in paths)}
    assert merged["components"]["schemas"]["AskForCode"] == identity["components"]["schemas"]["AskForCode"]
    for method, path in passed_on:
        for status in ("502", "503", "504"):
            assert any(code.startswith("upstream_") for code in codes(merged, method, path, status)), path


def test_what_is_passed_on_is_asked_by_page_and_filter_as_it_is_of_the_service_behind(openapis):
    def asked(of: openapi.Document) -> set[tuple[str, str]]:
        return {(p["in"], p["name"]) for p in of.get("parameters", ()) if p["in"] != "path"}

    merged = openapis["lifang"]["paths"]
    assert {("query", "cursor"), ("query", "limit"), ("query", "panel_id"), ("header", "Lifang-Min-Position")} == asked(
        merged["/v1/sensors"]["get"])
    lists = [(p, of["get"]) for p, of in merged.items() if "x-served-by" in of.get("get", {})]
    assert len(lists) == len(PASSED_ON_IN_A_FIRE["get"]) + sum(len(of["get"]) for of in PASSED_ON)
    behind = {row.operation: row.to for table in gateway_routes.PASSED_ON for row in table}
    for path, of in lists:
        assert asked(of) == asked(openapis[of["x-served-by"]]["paths"][behind[of["operationId"]]]["get"]), path


def test_whatever_place_an_answer_names_can_be_read_at_the_gateway(openapis):
    """`tests/e2e/test_locations.py` follows them, as whoever was answered."""
    files = (Path(__file__).parents[2] / "services").glob("*/api/*.py")
    named = {place for file in files for place in re.findall(r'"Location": f"([^"]+)"', file.read_text())}
    read = {re.sub("{.*?}", "{}", path) for path, of in openapis["lifang"]["paths"].items() if "get" in of}
    assert named and {re.sub("{.*?}", "{}", place) for place in named} <= read


def test_the_gateway_serves_the_bodies_and_every_path_of_the_merged_document(openapis, tmp_path):
    gateway = next(s for s in streams.services() if s.name == openapi.GATEWAY)
    served, merged = openapi.application(gateway, tmp_path).openapi(), openapis["lifang"]
    assert {p: set(of) for p, of in served["paths"].items()} == {p: set(of) for p, of in merged["paths"].items()}
    for path, methods in merged["paths"].items():
        for method, of in methods.items():
            body = openapi.inlined(of.get("requestBody"), merged["components"]["schemas"])
            own = openapi.inlined(served["paths"][path][method].get("requestBody"), served["components"]["schemas"])
            assert own == body, path
            here, there = (
                sorted(p["name"] for p in found.get("parameters", ()) if p["in"] == "query") for found in (
                    served["paths"][path][method], of))
            assert here == there, path
