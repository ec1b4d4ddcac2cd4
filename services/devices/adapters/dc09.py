"""SIA DC-09: what alarm panels send over TCP or UDP, and what they are answered, so that they do not send it again.

Pure: a piece of the line (`dc09_frames`), our time and the keys of the account in, a frame out, and from that reports and the
answer. Readings that are ours: a wrong CRC is answered NAK; what is encrypted and no key opens, and what is of an unknown
type, is kept and answered DUH.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from services.devices.adapters.dc09_crypto import decrypt, encrypt
from services.devices.adapters.dc09_data import Said, account_in, contact_id, sia
from services.devices.adapters.dc09_frames import Piece, checked, framed
from services.devices.adapters.report import Report, Signal

EARLIEST, LATEST = -40, 20
"""Seconds by which an encrypted frame may be behind our clock or ahead of it (the standard's window)."""
CONTENT_TYPE = "application/x-sia-dc09"
LINK_TEST, ANSWERS = "NULL", frozenset({"ACK", "NAK", "DUH", "RSP"})
DATA: dict[str, Callable[[str], list[Said]]] = {"ADM-CID": contact_id, "HENG-BO": contact_id, "SIA-DCS": sia}

_HEAD = re.compile(
    r'"(?P<type>\*?[^"*\[\]]{1,16})"(?P<seq>[0-9A-Fa-f]{1,4})?(?:R(?P<receiver>[0-9A-Fa-f]{0,6}))?'
    r"(?:L(?P<line>[0-9A-Fa-f]{0,6}))?(?:#(?P<account>[0-9A-Za-z]{1,16}))?\[")
_DATA_END = re.compile(r"\](?=\[[A-Z0-9\0]|_|$)")  # Hengbo's extra fields begin with their length: two bytes, or four digits
_EXTRA = re.compile(r"\[([^\]]*)\]")
_STAMPED = re.compile(r"_([^\]_]*)$")
_STAMP = re.compile(r"(\d\d):(\d\d):(\d\d),(\d\d)-(\d\d)-(\d{4})", re.ASCII)
_PAD = re.compile(rb"[^\[\]|]*")
_PADDED_ACCOUNT = re.compile(r"#[0-9A-Fa-f]{3,16}$")


class Inner(Struct, frozen=True):
    """What stands after the `[`: data, extra fields as `[X…]` without brackets, and the time as it was sent."""

    data: str = ""
    extra: tuple[str, ...] = ()
    stamp: str = ""


class Frame(Struct, frozen=True, kw_only=True):
    """`verdict`: accept, accept_flag (taken and shown), nak, incomplete. `type` without the star, `encrypted` where it had one;
    `key`: what opened it. `said`: the events in it, empty for a link test and for an answer."""

    raw: bytes
    verdict: Literal["accept", "accept_flag", "nak", "incomplete"]
    reply: Literal["ACK", "NAK", "DUH", "none"]
    flags: tuple[str, ...] = ()
    type: str = ""
    encrypted: bool = False
    seq: str = ""
    receiver: str | None = None
    line: str | None = None
    account: str = ""
    inner: Inner = Inner()
    key: bytes | None = None
    said: tuple[Said, ...] = ()

    @property
    def is_link_test(self) -> bool:
        return self.type == LINK_TEST and self.reply == "ACK"


Keys = Callable[[str], Iterable[bytes]]
"""The keys of an account's panels."""


def _no_keys(account: str) -> Iterable[bytes]:
    return ()


def read(piece: Piece, now: datetime | None = None, keys: Keys = _no_keys) -> Frame:
    """The frame in a piece. Raises nothing. Without `now` no time is out of range.

    Flags: those of the piece, crc, format, length, charset, encrypted_no_key, time_out_of_range, unknown_type."""
    found, flags = checked(piece.raw), piece.flags
    if "incomplete" in flags:
        return Frame(raw=piece.raw, verdict="incomplete", reply="none", flags=flags)
    if "too_large" in flags or found.crc is None:
        return _refused(piece.raw, (*flags, *(() if "too_large" in flags else ("format",))))
    flags = (*flags, *(() if found.crc else ("crc",)), *(() if found.length else ("length",)))
    if not found.crc:
        return _refused(piece.raw, flags)
    for text, odd in _texts(found.body):
        head = _HEAD.match(text)
        inner = _inner(text[head.end():], head["type"].startswith("*")) if head else None
        if head and inner:
            return _judged(_frame(piece.raw, head, inner, (*flags, *odd)), now, keys)
    return Frame(raw=piece.raw, verdict="accept_flag", reply="DUH", flags=(*flags, "format"))


def _refused(raw: bytes, flags: tuple[str, ...]) -> Frame:
    return Frame(raw=raw, verdict="nak", reply="NAK", flags=flags)


def _frame(raw: bytes, head: re.Match[str], inner: Inner, flags: tuple[str, ...]) -> Frame:
    return Frame(
        raw=raw, verdict="accept", reply="ACK", flags=flags, type=head["type"].removeprefix("*"), seq=head["seq"] or "",
        encrypted=head["type"].startswith("*"), receiver=head["receiver"], line=head["line"],
        account=(head["account"] or account_in(inner.data)).upper(), inner=inner)


def _judged(frame: Frame, now: datetime | None, keys: Keys) -> Frame:
    if frame.type in ANSWERS:
        return replace(frame, reply="none")
    if frame.encrypted:
        opened = _opened(frame, keys(frame.account))
        if opened is None:
            return replace(frame, verdict="accept_flag", reply="DUH", flags=(*frame.flags, "encrypted_no_key"))
        frame = opened
        if now is not None and not _in_time(frame.inner.stamp, now):
            return replace(frame, verdict="nak", reply="NAK", flags=(*frame.flags, "time_out_of_range"))
    if frame.type != LINK_TEST and frame.type not in DATA:
        frame = replace(frame, reply="DUH", flags=(*frame.flags, "unknown_type"))
    return replace(frame, said=_said(frame), verdict="accept_flag" if frame.flags else "accept")


def _said(frame: Frame) -> tuple[Said, ...]:
    if frame.type == LINK_TEST:
        return ()
    found = DATA[frame.type](frame.inner.data) if frame.type in DATA else []
    odd = ("data_unknown",) if frame.type in DATA else ()
    return tuple(found) or (Said("other", frame.type, text=frame.inner.data, findings=odd),)


def _opened(frame: Frame, keys: Iterable[bytes]) -> Frame | None:
    """With the key that opens it: its time shows that it is the right one."""
    for key in keys:
        try:
            plain = decrypt(key, frame.inner.data.encode())
        except ValueError:
            return None
        for text, odd in _texts(_legible(plain)):
            inner = _inner(text, False)
            if inner and _STAMP.fullmatch(inner.stamp):
                inner = replace(inner, data=_without_pad(inner.data))
                account = frame.account or account_in(inner.data)
                return replace(frame, inner=inner, key=key, account=account, flags=(*frame.flags, *odd))
    return None


def _legible(plain: bytes) -> bytes:
    """Any bytes but brackets and bar may pad: they decide no charset, and no character reaches from them into what follows."""
    end = _PAD.match(plain).end()  # type: ignore[union-attr]
    return plain[:end].decode("ascii", "replace").encode("ascii", "replace") + plain[end:]


def _without_pad(text: str) -> str:
    pad, bar, rest = text.partition("|")
    account = _PADDED_ACCOUNT.search(pad)
    return f"{account[0]}|{rest}" if account and not rest.startswith("#") else rest if bar else ""


def _texts(body: bytes) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Readings of the bytes, the likeliest first. In GB18030 a bracket or bar may be the second byte of a character."""
    for charset in ("utf-8", "gb18030"):
        try:
            yield body.decode(charset), ()
        except UnicodeDecodeError:
            continue
    yield body.decode("gb18030", "backslashreplace"), ("charset",)
    yield body.decode("ascii", "backslashreplace"), ("charset",)


def _inner(text: str, encrypted: bool) -> Inner | None:
    """None where the data have no end."""
    if encrypted:
        digits, _, rest = text.partition("]")
        return Inner(digits, (), rest.removeprefix("_"))
    end = _DATA_END.search(text)
    if end is None:
        return None
    stamp = _STAMPED.search(text, end.end())
    extra = text[end.end(): stamp.start() if stamp else None]
    return Inner(text[: end.start()], tuple(_EXTRA.findall(extra)), stamp[1] if stamp else "")


def moment(stamp: str) -> datetime | None:
    """`14:05:09,03-02-2026`, which the standard has in UTC."""
    match = _STAMP.fullmatch(stamp)
    if match is None:
        return None
    hour, minute, second, month, day, year = (int(part) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def _in_time(stamp: str, now: datetime) -> bool:
    at = moment(stamp)
    return at is not None and EARLIEST <= (at - now).total_seconds() <= LATEST


def answer(frame: Frame, now: datetime, reply: str = "") -> bytes | None:
    """What goes back, None for what is not answered; `reply` where the receiver knows better. An encrypted frame that was
    opened is acknowledged with its key. Who tells the time is told it: Hengbo's panels take an answer without it for none."""
    said = reply or frame.reply
    if said == "none":
        return None
    stamp = f"_{now.astimezone(UTC):%H:%M:%S,%m-%d-%Y}"
    if said == "NAK":
        return framed(f'"NAK"0000R0L0A0[]{stamp}'.encode())
    receiver = "" if frame.receiver is None else f"R{frame.receiver}"
    account = f"#{frame.account}" if frame.account else ""
    rest = f'{frame.seq or "0000"}{receiver}L{frame.line or "0"}{account}['
    if frame.key is None or said != "ACK":
        timed = stamp if frame.inner.stamp and not frame.encrypted else ""
        return framed(f'"{said}"{rest}]{timed}'.encode())
    return framed(f'"*{said}"{rest}'.encode() + encrypt(frame.key, f"]{stamp}".encode()))


def reports(frame: Frame) -> list[Report]:
    """What the panel said; one report of the kind link_test for a link test, and nothing for what says nothing."""
    if frame.is_link_test:
        return [_report(frame, 0, Said("other", LINK_TEST))]
    return [_report(frame, n, said) for n, said in enumerate(frame.said)]


def _report(frame: Frame, n: int, said: Said) -> Report:
    inner = frame.inner
    occurred = next((field[1:] for field in inner.extra if field.startswith("H")), inner.stamp)
    at = moment(occurred)
    mark = (frame.type, frame.seq, frame.receiver, frame.line, len(frame.raw), inner.stamp, occurred, n, said.code, said.partition,
            said.zone, said.marks)
    detail = {"sequence": frame.seq, "type": frame.type, "line": f"R{frame.receiver or ''}L{frame.line or ''}", **dict(said.marks)}
    return Report(
        kind="link_test" if frame.type == LINK_TEST else "panel_signal", code=said.code, history=said.history,
        signal=Signal(said.protocol, said.partition, said.zone, said.user), device_time=at, device_time_raw=occurred,
        mark=" ".join(map(str, mark)), text=f"{inner.data}{''.join(inner.extra)}", detail=dict(detail),
        findings=(*frame.flags, *said.findings, *(("clock_unreadable",) if occurred and at is None else ())))
