"""`docs/authorities.md` is all that the developer of an authority has: its receiver works, and no value is missing."""

import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from msgspec.structs import fields

from libs.contracts import alarm, government
from services.alarm.domain.ladders import FIRST, SECOND
from services.gateway.webhooks.signing import headers, new_secret

PAGE = (Path(__file__).parents[2] / "docs" / "authorities.md").read_text()
NOW, ID, BODY = 1_796_076_740, "6e34224c-f2cc-54c9-b392-7dd2b5064925", '{"data": {"kind": "fire", "name": "三楼"}}'.encode()


@pytest.fixture(scope="module")
def is_from_lifang() -> Any:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    found: dict[str, Any] = {}
    exec(code, found)
    return found["is_from_lifang"]


def test_its_receiver_takes_what_is_sent_and_nothing_else(is_from_lifang: Any):
    secret, other = new_secret(), new_secret()
    sent = headers([secret], ID, NOW, BODY)
    assert is_from_lifang(secret, sent, BODY, NOW + 1)
    assert not is_from_lifang(other, sent, BODY, NOW + 1)
    assert not is_from_lifang(secret, sent, BODY + b" ", NOW + 1)
    assert not is_from_lifang(secret, {**sent, "webhook-id": "another"}, BODY, NOW + 1)
    assert not is_from_lifang(secret, {**sent, "webhook-timestamp": "²"}, BODY, NOW + 1)
    assert not is_from_lifang(secret, {**sent, "webhook-signature": "v1,é v1a,x"}, BODY, NOW + 1)
    for later in (-301, 301):
        assert not is_from_lifang(secret, sent, BODY, NOW + later), "an old one that somebody has kept"


def test_its_receiver_takes_either_secret_after_a_rotation(is_from_lifang: Any):
    before, after = new_secret(), new_secret()
    sent = headers([after, before], ID, NOW, BODY)
    assert is_from_lifang(before, sent, BODY, NOW) and is_from_lifang(after, sent, BODY, NOW)


def literals() -> set[str]:
    """What may stand in an event, by the contracts of alarm, which the gateway repeats in its own words."""
    said = (alarm.IncidentVerified, alarm.IncidentFoundFalse, alarm.IncidentDispatched, alarm.IncidentResolved, alarm.IncidentEscalated)
    types = [alarm.IncidentKind, alarm.Severity, *(field.type for contract in said for field in fields(contract))]
    found = {value for of in types if get_origin(of) is Literal for value in get_args(of)}
    return found | set(get_args(government.State)) - {"raised"} | {*FIRST, *SECOND, "police", "operator", "person"}


def test_every_value_that_may_come_stands_there():
    assert {value for value in literals() if f"`{value}`" not in PAGE} == set()


def test_its_addresses_are_those_of_the_documents():
    documented = (Path(__file__).parents[2] / "docs" / "openapi" / "lifang.json").read_text()
    for path in set(re.findall(r"/v1/[a-z/-]+", PAGE)):
        assert f'"{path}' in documented, path
