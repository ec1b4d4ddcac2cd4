from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from libs.eventkit.recorded import Catalogue, Meta, Recorded
from services.devices.api.reports import _basic, authorization
from services.devices.device_book import EVENTS, DeviceBook, hash_of
from services.devices.domain.lines import LineBack, LineSilent
from services.devices.domain.registry import (
    CredentialRevoked,
    Description,
    DeviceDescribed,
    DeviceEnrolled,
    DeviceMoved,
    DeviceRegistered,
    DeviceRetired,
)

DEVICE, COMMUNITY = UUID(int=1), UUID(int=2)
GATE = Description("hikvision-terminal", "South gate", "K1", "http://10.0.0.9")
REGISTERED, ENROLLED = DeviceRegistered(DEVICE, GATE), DeviceEnrolled(DEVICE, hash_of("secret"))


class LogOf:
    """A log that holds these events."""

    def __init__(self) -> None:
        self.rows: list[Recorded] = []

    def say(self, *events: msgspec.Struct) -> None:
        for event in events:
            n, data = len(self.rows) + 1, msgspec.json.encode(event).decode()
            self.rows.append(Recorded(
                n, 1, COMMUNITY, f"device:{DEVICE}", n, UUID(int=n), str(event.__struct_config__.tag), 1, data, Meta(), None,
                None, datetime(2026, 3, 1, tzinfo=UTC)))

    async def last(self) -> int:
        return len(self.rows)

    async def read(self, after: int, limit: int, types: Any) -> list[Recorded]:
        return self.rows[after : after + limit]


def book_with(*events: msgspec.Struct) -> tuple[DeviceBook, LogOf]:
    book, log = DeviceBook(), LogOf()
    log.say(*events)
    book.memory.bind(log, Catalogue(EVENTS))  # type: ignore[arg-type]
    return book, log


async def test_an_enrolled_device_is_let_in_by_its_own_credential_alone() -> None:
    book, _ = book_with(REGISTERED, ENROLLED)
    found = await book.authenticated(DEVICE, "secret")
    assert found is not None and found.community_id == COMMUNITY and found.description == GATE
    assert await book.authenticated(DEVICE, "guess") is None
    assert await book.authenticated(DEVICE, "") is None
    assert await book.authenticated(UUID(int=9), "secret") is None


async def test_a_device_without_a_credential_is_not_let_in() -> None:
    book, _ = book_with(REGISTERED)
    assert await book.authenticated(DEVICE, "") is None
    book, _ = book_with(REGISTERED, ENROLLED, CredentialRevoked(DEVICE))
    assert await book.authenticated(DEVICE, "secret") is None


async def test_a_device_that_was_registered_a_moment_ago_is_found() -> None:
    book, log = book_with()
    assert await book.find(DEVICE) is None
    log.say(REGISTERED)
    assert await book.find(DEVICE) is not None


async def test_a_device_that_took_its_credential_a_moment_ago_is_let_in() -> None:
    """Else it is told 401 for up to two seconds after it was enrolled, and a camera's car stands before a shut barrier."""
    book, log = book_with(REGISTERED)
    assert await book.find(DEVICE) is not None
    log.say(ENROLLED)
    assert await book.authenticated(DEVICE, "secret") is not None


async def test_orders_go_to_where_the_device_is_now() -> None:
    book, _ = book_with(REGISTERED, ENROLLED, DeviceMoved(DEVICE, "http://10.0.0.10"))
    found = await book.find(DEVICE)
    assert found is not None and found.description.base_url == "http://10.0.0.10"


async def test_a_device_is_what_it_was_corrected_to() -> None:
    north = Description("hikvision-terminal", "North gate", "K1", "http://10.0.0.11", stream=True)
    book, _ = book_with(REGISTERED, ENROLLED, DeviceDescribed(DEVICE, north))
    found = await book.authenticated(DEVICE, "secret")
    assert found is not None and found.description == north and book.streamed() == [found]


async def test_a_device_that_was_retired_is_let_in_read_and_told_no_more() -> None:
    streamed = Description("hikvision-terminal", "South gate", "K1", "http://10.0.0.9", stream=True)
    book, _ = book_with(DeviceRegistered(DEVICE, streamed), ENROLLED, DeviceRetired(DEVICE))
    assert await book.find(DEVICE) is await book.authenticated(DEVICE, "secret") is None
    assert (book.streamed(), book.readers(COMMUNITY), list(book.retired)) == ([], [], [DEVICE])


async def test_a_panel_is_found_under_the_account_that_it_has_now_and_none_where_it_is_retired() -> None:
    panel, other = (Description("dc09-panel", "one", "", account=account, supervise=60) for account in ("4A21", "77F0"))
    book, log = book_with(DeviceRegistered(DEVICE, panel), LineSilent(DEVICE, 60), DeviceDescribed(DEVICE, other))
    await book.memory.catch_up()
    assert [known.description for known in book.panels("77F0")] == [other] and book.panels("4A21") == []
    log.say(DeviceRetired(DEVICE))
    await book.memory.catch_up()
    assert book.panels("77F0") == book.supervised() == [] and book.silent == set()


def test_basic_authorization() -> None:
    assert _basic(authorization(DEVICE, "a:b")) == (str(DEVICE), "a:b")
    for nonsense in ("", "Basic", "Basic ///", "Basic \u20ac", "Bearer Zm9v", "Basic /w=="):
        assert _basic(nonsense) == ("", "")


async def test_panels_are_found_by_account_in_the_order_of_their_registration() -> None:
    first, second = (Description("dc09-panel", name, "", account="4A21", supervise=n) for n, name in enumerate(("one", "two")))
    other = UUID(int=8)
    book, _ = book_with(DeviceRegistered(other, first), DeviceRegistered(DEVICE, second), LineSilent(DEVICE, 1), LineSilent(other, 1),
                        LineBack(other), DeviceRegistered(UUID(int=9), GATE))
    await book.memory.catch_up()
    assert [panel.device_id for panel in book.panels("4A21")] == [other, DEVICE] and book.panels("77F0") == book.panels("") == []
    assert [panel.device_id for panel in book.supervised()] == [DEVICE] == list(book.silent)
