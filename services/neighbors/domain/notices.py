"""A notice: staff tell a circle something, and may withdraw it. Who has read it says a receipt (`receipts.py`)."""

from typing import Literal, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict

from libs.eventkit.decider import Decider, NotFound, Refused

Category = Literal["general", "maintenance", "outage", "fees", "safety"]
LONGEST_TITLE, LONGEST_TEXT = 80, 4000


class _Notice(Struct, frozen=True):
    """`building_id` None: the community's circle. `audience`: how many belonged to the circle when it was decided."""

    notice_id: UUID
    circle_id: UUID
    building_id: UUID | None
    category: Category
    title: str
    text: str
    by: UUID
    audience: int


# what happened


class NoticePosted(_Notice, frozen=True, tag="notice_posted"):
    pass


class NoticeWithdrawn(Struct, frozen=True, tag="notice_withdrawn"):
    notice_id: UUID
    by: UUID


NoticeEvent = NoticePosted | NoticeWithdrawn


# what is


class NoNotice(Struct, frozen=True):
    pass


class Posted(Struct, frozen=True):
    circle_id: UUID
    building_id: UUID | None
    audience: int


class Withdrawn(Struct, frozen=True):
    circle_id: UUID
    building_id: UUID | None
    audience: int


Notice = NoNotice | Posted | Withdrawn


def evolve(notice: Notice, event: NoticeEvent) -> Notice:
    match notice, event:
        case _, NoticePosted(circle_id=circle_id, building_id=building_id, audience=audience):
            return Posted(circle_id, building_id, audience)
        case Posted(circle_id=circle_id, building_id=building_id, audience=audience), NoticeWithdrawn():
            return Withdrawn(circle_id, building_id, audience)
        case _:
            return notice


# what is asked


class PostNotice(_Notice, frozen=True):
    pass


class WithdrawNotice(Struct, frozen=True):
    notice_id: UUID
    by: UUID


def decide_post_notice(command: PostNotice, notice: Notice) -> list[NoticeEvent]:
    if not isinstance(notice, NoNotice):
        return []
    if not 1 <= len(command.title) <= LONGEST_TITLE:
        raise Refused("title_length", longest=LONGEST_TITLE)
    if not 1 <= len(command.text) <= LONGEST_TEXT:
        raise Refused("text_length", longest=LONGEST_TEXT)
    return [NoticePosted(**asdict(command))]


def decide_withdraw_notice(command: WithdrawNotice, notice: Notice) -> list[NoticeEvent]:
    match notice:
        case NoNotice():
            raise NotFound("notice")
        case Posted():
            return [NoticeWithdrawn(command.notice_id, command.by)]
        case Withdrawn():
            return []
        case _:
            assert_never(notice)


NOTICES = Decider[Notice, NoticeEvent](
    category="notice", initial=NoNotice(), evolve=evolve,
    decide={PostNotice: decide_post_notice, WithdrawNotice: decide_withdraw_notice})
