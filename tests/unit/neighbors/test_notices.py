"""Notices: posted once, withdrawn once; receipts: once, and only of what was told to the reader."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec.structs import asdict, replace

from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.problems import Problem
from services.neighbors.api.notices import numbers
from services.neighbors.domain.notices import (
    LONGEST_TEXT,
    LONGEST_TITLE,
    NOTICES,
    NoticePosted,
    NoticeWithdrawn,
    PostNotice,
    WithdrawNotice,
)
from services.neighbors.domain.receipts import RECEIPTS, NoticeRead, ReadNotice, receipt_id_of
from services.neighbors.main import SERVICE
from services.neighbors.views import notices, receipts
from tests.kit import folded, recorded

NOTICE, HOUSE, ANN, BY, HERE = (UUID(int=n) for n in range(1, 6))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
POST = PostNotice(NOTICE, HOUSE, HOUSE, "outage", "停水", "明天停水", BY, 12)
POSTED, WITHDRAWN = NoticePosted(**asdict(POST)), NoticeWithdrawn(NOTICE, BY)
READ = ReadNotice(NOTICE, ANN, told=True)


def when(command, *events):
    return NOTICES.decide[type(command)](command, NOTICES.fold(events))


def test_a_notice_is_posted_once():
    assert when(POST) == [POSTED]
    assert when(POST, POSTED) == when(POST, POSTED, WITHDRAWN) == []


@pytest.mark.parametrize(("change", "code"), [
    ({"title": ""}, "title_length"), ({"title": "x" * 81}, "title_length"),
    ({"text": ""}, "text_length"), ({"text": "x" * 4001}, "text_length")])
def test_a_notice_has_a_title_and_a_text_of_their_length(change, code):
    assert (LONGEST_TITLE, LONGEST_TEXT) == (80, 4000)
    assert when(replace(POST, title="x" * 80, text="x" * 4000)) != []
    with pytest.raises(Refused, match=code):
        when(replace(POST, **change))


def test_a_notice_is_withdrawn_once():
    assert when(WithdrawNotice(NOTICE, BY), POSTED) == [WITHDRAWN]
    assert when(WithdrawNotice(NOTICE, BY), POSTED, WITHDRAWN) == []
    with pytest.raises(NotFound):
        when(WithdrawNotice(NOTICE, BY))


def read(command, *events):
    return RECEIPTS.decide[ReadNotice](command, RECEIPTS.fold(events))


def test_a_notice_is_read_once_by_whom_it_was_told():
    assert read(READ) == [NoticeRead(NOTICE, ANN)]
    assert read(READ, NoticeRead(NOTICE, ANN)) == []
    with pytest.raises(NotFound):
        read(replace(READ, told=False))
    assert len({receipt_id_of(n, r) for n in (NOTICE, HOUSE) for r in (ANN, BY)}) == 4


def test_the_views_show_notices_and_who_has_read_them_also_folded_twice():
    events = [POSTED, NoticeRead(NOTICE, ANN), replace(POSTED, notice_id=HERE), WITHDRAWN]
    log = [recorded(e, HERE, position=n, stream="notice:x", at=NOW) for n, e in enumerate(events, 1)]
    first, second = folded(notices.VIEW, SERVICE.catalogue(), log)[HERE]
    assert first == {
        "notice_id": str(NOTICE), "position": 1, "circle_id": str(HOUSE), "building_id": str(HOUSE), "category": "outage",
        "title": "停水", "text": "明天停水", "by": str(BY), "audience": 12, "posted_at": "2026-03-01T08:00:00Z",
        "withdrawn_at": "2026-03-01T08:00:00Z"}
    assert second["withdrawn_at"] is None
    assert folded(notices.VIEW, SERVICE.catalogue(), log + log)[HERE] == [first, second]
    rows = folded(receipts.VIEW, SERVICE.catalogue(), log)[HERE]
    assert rows == [{"notice_id": str(NOTICE), "resident_id": str(ANN), "position": 2, "read_at": "2026-03-01T08:00:00Z"}]
    assert folded(receipts.VIEW, SERVICE.catalogue(), log + log)[HERE] == rows


def sql(query):
    return " ".join(str(query.compile(compile_kwargs={"literal_binds": True})).split())


def test_a_resident_is_shown_what_was_told_to_their_circles_and_not_withdrawn():
    asked = sql(notices.mine(ANN, (1, 7), 3))
    assert "notices.withdrawn_at IS NULL AND notices.circle_id IN (SELECT members.circle_id FROM members" in asked
    assert "WHERE members.resident_id = " in asked and "receipts.resident_id = " in asked
    assert "ORDER BY anon_1.seen, anon_1.position DESC LIMIT 3" in asked
    assert "(anon_1.seen, -anon_1.position) > (1, -7)" in asked


def test_staff_are_shown_all_with_how_many_have_read_them():
    asked = sql(notices.all_of(HOUSE, 9, 3))
    assert "SELECT count(*) AS count_1 FROM receipts WHERE receipts.notice_id = notices.notice_id" in asked
    assert "notices.circle_id = " in asked and "notices.position < 9" in asked
    assert "WHERE" not in sql(notices.all_of(None, None, 3)).rpartition("FROM notices")[2]


@pytest.mark.parametrize("values", [["2", "1"], ["0", "x"], ["0", "-1"], ["", ""], ["0", "1" * 19], ["0", "٣"]])
def test_a_place_in_the_list_is_two_numbers(values):
    assert numbers(["1", "42"]) == (1, 42)
    with pytest.raises(Problem, match="cursor_malformed"):
        numbers(values)
