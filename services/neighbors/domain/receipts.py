"""A receipt: a resident has read a notice or an emergency broadcast, once. Nobody reads what was told to others."""

from uuid import UUID, uuid5

from msgspec import Struct

from libs.eventkit.decider import Decider, NotFound

# what happened


class NoticeRead(Struct, frozen=True, tag="notice_read"):
    """`notice_id`: of the notice or broadcast."""

    notice_id: UUID
    resident_id: UUID


# what is


class Unread(Struct, frozen=True):
    pass


class Read(Struct, frozen=True):
    pass


Receipt = Unread | Read


def evolve(receipt: Receipt, event: NoticeRead) -> Receipt:
    return Read() if isinstance(event, NoticeRead) else receipt


# what is asked


class ReadNotice(Struct, frozen=True):
    """`told`: whether it is there, and for the resident."""

    notice_id: UUID
    resident_id: UUID
    told: bool


def receipt_id_of(notice_id: UUID, resident_id: UUID) -> UUID:
    return uuid5(notice_id, str(resident_id))


def decide_read_notice(command: ReadNotice, receipt: Receipt) -> list[NoticeRead]:
    if not command.told:
        raise NotFound("notice")
    return [] if isinstance(receipt, Read) else [NoticeRead(command.notice_id, command.resident_id)]


RECEIPTS = Decider[Receipt, NoticeRead](
    category="receipt", initial=Unread(), evolve=evolve, decide={ReadNotice: decide_read_notice})
