"""Whom an arrival is told, what others hear of passes, and that a sender that fails is asked again under the same key."""

from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

import pytest

from libs.contracts import access as public
from libs.contracts.fields import SealedField
from libs.eventkit.recorded import Catalogue
from libs.eventkit.sealed import Sealed
from services.access import notices
from services.access.domain.visitor_passes import VisitorArrived, VisitorPassIssued, VisitorPassRevoked, VisitorPassUsed
from services.access.publishing import publish
from services.access.views import notices as told
from services.access.views import visitor_passes as passes
from tests.kit import folded, recorded

PASS, HOME, HOST, HERE, DOOR, REPORT = (UUID(int=n) for n in range(1, 7))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
BOX = Sealed(PASS, HOME, "plate", "x")
ISSUED = VisitorPassIssued(
    PASS, "family", HOME, HOST, NOW, NOW, None, ("community",), (7,), BOX, None, "visitor_pass_family", "x")
USED = VisitorPassUsed(PASS, HOST, DOOR, REPORT, "community", True, NOW, "visitor_pass", "x")
ARRIVED = VisitorArrived(PASS, HOST, "family", NOW, "door", "visitor_pass", "first_entry")
BY_STAFF, BY_HOST = (VisitorPassRevoked(PASS, HOST, "visitor_pass", reason) for reason in ("staff", "host"))
CATALOGUE = Catalogue((VisitorPassIssued, VisitorPassRevoked, VisitorPassUsed, VisitorArrived))
LOG = [recorded(e, HERE, position=n, stream=f"visitor-pass:{PASS}", at=NOW)
       for n, e in enumerate((ISSUED, USED, ARRIVED, BY_STAFF, BY_HOST), 1)]


def test_the_host_is_told_of_an_arrival_and_of_what_others_have_ended():
    found = folded(told.VIEW, CATALOGUE, LOG)[HERE]
    assert sorted((r["kind"], r["detail"], r["person_id"], r["position"]) for r in found) == [
        ("visitor_arrived", "door", str(HOST), 3), ("visitor_pass_revoked", "staff", str(HOST), 4)]


def test_a_list_of_passes_shows_who_has_come():
    row = folded(passes.VIEW, CATALOGUE, LOG)[HERE][0]
    assert (row["entries"], row["revoked"], row["plate"]["box"], row["visitor_name"]) == (1, "host", "x", None)
    assert row["arrived_at"]


def test_a_page_of_ones_own_asks_for_what_is_theirs_alone_from_below_the_last_row_on():
    notices_of, passes_of = (str(q.compile(compile_kwargs={"literal_binds": True})) for q in (
        told.page_of(HOST, 7, 5), passes.page_of(HOST, PASS, 5)))
    assert f"person_id = '{HOST.hex}'" in notices_of and "position < 7" in notices_of
    assert f"host_id = '{HOST.hex}'" in passes_of and f"pass_id > '{PASS.hex}'" in passes_of


@pytest.mark.parametrize(("event", "heard"), [
    (ISSUED, public.VisitorPassIssued(
        PASS, "family", HOME, HOST, NOW, NOW, None, ("community",), (7,), SealedField(PASS, HOME, "plate", "x"), None)),
    (BY_STAFF, public.VisitorPassRevoked(PASS, HOST, "staff")), (USED, public.VisitorPassUsed(PASS, HOST, DOOR, REPORT)),
    (ARRIVED, public.VisitorArrived(PASS, HOST, "family", NOW, "door"))])
def test_others_hear_of_passes(event, heard):
    assert [p.body for p in publish(event, LOG[0])] == [heard]


class Flaky:
    channel = "push"

    def __init__(self) -> None:
        self.keys: list[str] = []

    async def send(self, notice: notices.Notice, key: str) -> None:
        self.keys.append(key)
        if len(self.keys) == 1:
            raise ConnectionError


async def test_what_a_sender_did_not_take_is_sent_again_under_the_same_key(monkeypatch: pytest.MonkeyPatch):
    moved = []

    async def advance(connection: object, name: str, old: int, new: int) -> None:
        moved.append(new)

    async def folds() -> None: ...

    monkeypatch.setattr(notices, "advance", advance)
    app, sender = SimpleNamespace(catalogue=CATALOGUE, database=SimpleNamespace(folds=folds)), Flaky()
    reader = notices.sending(app, (sender,))
    assert reader.start == "now"
    with pytest.raises(ConnectionError):
        await reader.take(LOG[:3], 0)
    assert moved == []
    await reader.take(LOG[:3], 0)
    assert (sender.keys, moved) == ([str(LOG[2].event_id)] * 2, [3])
