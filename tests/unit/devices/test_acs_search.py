import json
from typing import Any

import pytest
from msgspec.structs import replace

from services.devices.adapters.acs_search import LAST_SERIAL, condition, read_page
from services.devices.adapters.hikvision import read
from services.devices.adapters.report import Unreadable
from tests.devices import bodies

FOUND = {
    "major": 5, "minor": 1, "time": "2026-03-04T05:06:07+08:00", "cardNo": bodies.CARD_NUMBER, "name": bodies.PERSON_NAME,
    "employeeNoString": bodies.EMPLOYEE_NUMBER, "doorNo": 2, "cardReaderNo": 3, "serialNo": 901, "currentVerifyMode": "cardOrPw",
}  # fmt: skip


def page(status: str, *events: Any, **more: Any) -> bytes:
    found: dict[str, Any] = {"searchID": "s", "responseStatusStrg": status, "numOfMatches": len(events), **more}
    return json.dumps({"AcsEvent": found | ({"InfoList": events} if events else {})}).encode()


def test_the_condition_is_exclusive_at_both_ends() -> None:
    asked = json.loads(condition("s1", 60, after=7, before=12))["AcsEventCond"]
    assert (asked["beginSerialNo"], asked["endSerialNo"], asked["searchResultPosition"]) == (8, 11, 60)
    assert (asked["searchID"], asked["maxResults"], asked["major"], asked["minor"]) == ("s1", 30, 0, 0)
    assert json.loads(condition("s1", 0, after=7))["AcsEventCond"]["endSerialNo"] == LAST_SERIAL


def test_a_found_event_is_the_one_that_was_pushed_but_history() -> None:
    (found,) = read_page(page("OK", FOUND), "application/json").reports
    (pushed,) = read(bodies.access_json("5/1", **bodies.PEOPLE), "application/json")
    same = ("kind", "code", "state", "serial", "door_no", "reader_no", "device_time", "card_number", "person_name", "verify_mode")
    assert [getattr(found, name) for name in same] == [getattr(pushed, name) for name in same]
    assert found.history and not pushed.history


@pytest.mark.parametrize("inner", [{"remoteCheck": True}, {"currentEvent": True}, {"currentEvent": "perhaps"}])
def test_nothing_that_was_found_awaits_a_decision(inner: dict[str, Any]) -> None:
    (found,) = read_page(page("OK", FOUND | inner), "application/json").reports
    assert found.history and not found.awaits_decision


@pytest.mark.parametrize(("status", "more"), [("MORE", True), ("OK", False), ("NO MATCH", False), ("more", True)])
def test_the_status_tells_whether_there_is_more(status: str, more: bool) -> None:
    assert read_page(page(status), "application/json") == replace(read_page(page("OK"), ""), more=more)


def test_what_cannot_be_read_is_counted_all_the_same() -> None:
    read_ = read_page(page("MORE", FOUND, {"serialNo": 902}, "x"), "application/json")
    assert (len(read_.reports), read_.count) == (1, 3)


@pytest.mark.parametrize(("body", "code"), [
    (b"", "malformed"), (b"<html/>", "malformed"), (b"{}", "not_an_event"), (b'{"AcsEvent":{}}', "not_an_event"),
    (b'{"statusCode":4}', "not_an_event"), (page("OK", FOUND)[:40], "truncated"), (b"\x00", "nul"),
])  # fmt: skip
def test_another_answer_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        read_page(body, "application/json")
    assert refusal.value.code in (code, "truncated")
