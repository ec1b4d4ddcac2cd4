"""From bytes in segments to SIA DC-09 frames: `LF CRC4 LEN4 "type"seq… CR`. Nothing is ever trimmed: padding is part of the CRC.

LF and CR stand in no character of UTF-8 or GB18030, so that they end a frame wherever they are.
"""

import re

from msgspec import Struct

MAX_FRAME = 8192
"""Bytes between LF and CR. The standard's length field reaches 4,095."""
_HEX4 = re.compile(rb"[0-9A-Fa-f]{4}")
_LINE_END = re.compile(rb"[\r\n]")


def _table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
        table.append(value)
    return tuple(table)


_TABLE = _table()


def crc16(body: bytes) -> int:
    """CRC-16/ARC: reflected polynomial A001, start 0. Over everything from the first quote to before the CR."""
    crc = 0
    for byte in body:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc


def framed(body: bytes) -> bytes:
    """What goes over the line for a body that begins with its quote."""
    return b"\n%04X%04X%s\r" % (crc16(body), len(body), body)


class Checked(Struct, frozen=True):
    """What the head says of the body. `crc` is None where it is no number, and then nothing can be said."""

    body: bytes
    crc: bool | None
    length: bool


def checked(raw: bytes) -> Checked:
    at = raw.find(b'"')
    head, body = (raw[:at], raw[at:]) if at >= 0 else (raw, b"")
    crc = int(head[:4], 16) == crc16(body) if at >= 4 and _HEX4.fullmatch(head[:4]) else None
    length = _HEX4.fullmatch(head[4:]) is not None and int(head[4:], 16) == len(body)
    return Checked(body, crc, length)


class Piece(Struct, frozen=True):
    """What stood between LF and CR, and what was odd about where it stood: cr_missing, lf_missing, bytes_before_frame,
    incomplete (the rest never came), too_large."""

    raw: bytes
    flags: tuple[str, ...] = ()


def _whole(raw: bytes) -> bool:
    found = checked(raw)
    return bool(found.crc and found.length)


class Splitter:
    """One connection's bytes. `begun`: a frame has begun and has not ended."""

    def __init__(self) -> None:
        self.begun = False
        self._held = bytearray()
        self._noise = False

    def feed(self, data: bytes) -> list[Piece]:
        self._held += data
        pieces: list[Piece] = []
        while (end := _LINE_END.search(self._held)) is not None:
            raw, is_lf = bytes(self._held[: end.start()]), end[0] == b"\n"
            del self._held[: end.end()]
            pieces += self._within(raw, is_lf) if self.begun else self._outside(raw, is_lf)
            self.begun = is_lf
        if len(self._held) > MAX_FRAME:
            pieces += [self._piece(bytes(self._held[:MAX_FRAME]), "too_large")] if self.begun else []
            self._noise, self.begun = not self.begun, False
            self._held.clear()
        return pieces

    def quiet(self) -> list[Piece]:
        """Nothing has come for a while: a frame that lacks nothing but its CR is one."""
        return self.end() if self.begun and _whole(bytes(self._held)) else []

    def end(self) -> list[Piece]:
        """Nothing will come any more."""
        raw, begun = bytes(self._held), self.begun
        self._held.clear()
        self.begun = False
        return [self._cut(raw)] if begun and raw else []

    def _within(self, raw: bytes, is_lf: bool) -> list[Piece]:
        if not raw:
            return []
        return [self._cut(raw)] if is_lf else [self._piece(raw)]

    def _outside(self, raw: bytes, is_lf: bool) -> list[Piece]:
        if not is_lf and _whole(raw):
            return [self._piece(raw, "lf_missing")]
        self._noise = self._noise or bool(raw)
        return []

    def _cut(self, raw: bytes) -> Piece:
        return self._piece(raw, "cr_missing" if _whole(raw) else "incomplete")

    def _piece(self, raw: bytes, *flags: str) -> Piece:
        before = ("bytes_before_frame",) if self._noise else ()
        self._noise = False
        return Piece(raw, (*before, *flags))
