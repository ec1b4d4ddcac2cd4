"""A face is forgotten by every reader: told until it says so, once proved never again."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.contracts import access
from libs.contracts import devices as said
from libs.eventkit.decider import NotFound
from services.devices.adapters.isapi_client import Terminal, delete_person
from services.devices.device_book import DeviceBook
from services.devices.domain.registry import Description, DeviceRegistered, DeviceRetired
from services.devices.domain.templates import (
    TEMPLATES,
    EndWithReader,
    ReaderGone,
    RecordTemplateNotRemoved,
    RecordTemplateRemoved,
    TemplateNotRemoved,
    TemplateRemovalWanted,
    TemplateRemoved,
    WantTemplateRemoved,
    due,
    pause,
    removal_id_of,
)
from services.devices.forgetting import faces_to_forget
from services.devices.publishing import publish
from tests.kit import recorded

FACE, READER, CAMERA, ELSEWHERE, HERE, ANN = (UUID(int=n) for n in range(1, 7))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
WANT, WANTED = WantTemplateRemoved(FACE, READER, NOW), TemplateRemovalWanted(FACE, READER, NOW)
REMOVED = TemplateRemoved(FACE, READER)
AGAIN = NOW + timedelta(seconds=1)
FAILED = TemplateNotRemoved(FACE, READER, "unreachable", "ConnectError", 1, AGAIN)
GONE = ReaderGone(FACE, READER, 1, NOW)
NOT_YET = RecordTemplateNotRemoved(FACE, READER, "unreachable", "ConnectError", 1, NOW)


def when(command: Any, *events: Any) -> list[Any]:
    return TEMPLATES.decide[type(command)](command, TEMPLATES.fold(events))


def test_a_removal_is_wanted_once():
    assert when(WANT) == [WANTED]
    assert when(WANT, WANTED) == when(WANT, WANTED, REMOVED) == []


def test_the_reader_is_told_until_it_says_so():
    assert when(NOT_YET, WANTED) == [FAILED] and when(NOT_YET, WANTED, FAILED) == []
    assert when(RecordTemplateRemoved(FACE, READER), WANTED, FAILED) == [REMOVED]
    assert when(RecordTemplateRemoved(FACE, READER), WANTED, REMOVED) == when(NOT_YET, WANTED, REMOVED) == []
    assert [due(TEMPLATES.fold(events)) for events in ((), (WANTED,), (WANTED, FAILED), (WANTED, FAILED, REMOVED))] == [
        None, NOW, AGAIN, None]
    for command in (NOT_YET, RecordTemplateRemoved(FACE, READER)):
        with pytest.raises(NotFound):
            when(command)


def test_a_reader_that_was_retired_is_told_no_more_and_has_proved_nothing():
    end = EndWithReader(FACE, READER, NOW)
    assert when(end, WANTED, FAILED) == [GONE] and when(end, WANTED, FAILED, GONE) == when(end, WANTED, REMOVED) == []
    assert due(TEMPLATES.fold((WANTED, FAILED, GONE))) is None
    for command in (WANT, NOT_YET, RecordTemplateRemoved(FACE, READER)):
        assert when(command, WANTED, FAILED, GONE) == []
    with pytest.raises(NotFound):
        when(end)


def test_it_waits_longer_each_time_but_no_more_than_an_hour():
    assert [pause(n).total_seconds() for n in (1, 2, 3, 12, 13, 999)] == [1, 2, 4, 2048, 3600, 3600]


async def test_every_terminal_of_the_community_is_told_and_nothing_else():
    book = DeviceBook()
    for device_id, community, kind in (
        (READER, HERE, "hikvision-terminal"), (CAMERA, HERE, "vzenith-camera"), (ELSEWHERE, ANN, "hikvision-terminal")):
        event = DeviceRegistered(device_id, Description(kind, "x", ""))
        book._apply(event, recorded(event, community))
    book.memory.fresh = lambda position: _nothing()  # type: ignore[method-assign]
    react = faces_to_forget(book).on[access.FaceRevoked]
    event = access.FaceRevoked(FACE, ANN, "consent_withdrawn")
    row = recorded(event, HERE, source="access", at=NOW)
    assert [(do.subject_id, do.command) for do in await react(event, row)] == [(removal_id_of(FACE, READER), WANT)]
    book._apply(DeviceRetired(READER), recorded(event, HERE))
    assert await react(event, row) == [], "it is gone"


async def _nothing() -> None:
    pass


async def test_a_terminal_is_asked_to_delete_the_person_of_that_number():
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path, request.url.query, request.content))
        return httpx.Response(200, json={"statusCode": 1, "statusString": "OK", "subStatusCode": "ok"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        outcome = await delete_person(client, Terminal("http://reader.test", "admin", "x"), FACE.hex)
    assert outcome.result == "carried_out"
    assert asked == [("PUT", "/ISAPI/AccessControl/UserInfo/Delete", b"format=json", (
        b'{"UserInfoDelCond":{"EmployeeNoList":[{"employeeNo":"%s"}]}}' % FACE.hex.encode()))]


@pytest.mark.parametrize("event, heard", [
    (WANTED, said.TemplateRemovalWanted(FACE, READER)), (REMOVED, said.TemplateRemoved(FACE, READER)),
    (FAILED, said.TemplateNotRemoved(FACE, READER, "unreachable", 1, AGAIN))])
def test_others_hear_what_became_of_it(event, heard):
    assert [p.body for p in publish(event, recorded(event, HERE))] == [heard]
