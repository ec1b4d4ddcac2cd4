"""The stream splitter: whatever the segments, the same frames, and no byte trimmed."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.devices.adapters.dc09_frames import MAX_FRAME, Piece, Splitter, checked, crc16, framed

ALARM = framed(b'"ADM-CID"0102R0L0#4A21[#4A21|1130 01 003]_14:05:09,03-02-2026')
NAMED = framed('"SIA-DCS"0161L0#4A21[#4A21|Nri1/FA021^東區會館  ^]'.encode("gb18030"))
RAW, NAMED_RAW = ALARM[1:-1], NAMED[1:-1]


def split(*segments: bytes, end: bool = True) -> list[Piece]:
    splitter = Splitter()
    pieces = [piece for segment in segments for piece in splitter.feed(segment)]
    return [*pieces, *(splitter.end() if end else ())]


def test_the_check_value_of_the_catalogue() -> None:
    assert crc16(b"123456789") == 0xBB3D


def test_a_frame_is_what_stands_between_lf_and_cr() -> None:
    assert split(ALARM, end=False) == [Piece(RAW)]


@pytest.mark.parametrize("at", range(len(ALARM + NAMED) + 1))
def test_it_does_not_matter_where_a_segment_ends(at: int) -> None:
    both = ALARM + NAMED
    assert split(both[:at], both[at:], end=False) == [Piece(RAW), Piece(NAMED_RAW)]


def test_byte_by_byte() -> None:
    assert split(*(bytes([byte]) for byte in ALARM + NAMED), end=False) == [Piece(RAW), Piece(NAMED_RAW)]


def test_padding_is_kept() -> None:
    padded = framed(b'"SIA-DCS"7960L0#123456[#123456|Nri1CL0^VX FRONTE       ^]')
    (piece,) = split(padded)
    assert piece.raw == padded[1:-1] and checked(piece.raw).crc


def test_line_ends_between_frames_are_nothing() -> None:
    assert split(b"\r\n" + ALARM + b"\n\n\r" + ALARM + b"\n") == [Piece(RAW), Piece(RAW)]


def test_bytes_before_a_frame_are_told_of_that_frame_alone() -> None:
    assert split(b"\x00\x16AT+OK" + ALARM + ALARM) == [Piece(RAW, ("bytes_before_frame",)), Piece(RAW)]


def test_a_lost_cr_is_made_good_by_the_next_lf_where_crc_and_length_are_right() -> None:
    assert split(ALARM[:-1] + NAMED) == [Piece(RAW, ("cr_missing",)), Piece(NAMED_RAW)]
    wrong_length = ALARM[:5] + b"0001" + ALARM[9:-1]
    assert split(wrong_length + NAMED) == [Piece(wrong_length[1:], ("incomplete",)), Piece(NAMED_RAW)]
    assert split(ALARM[:-2] + NAMED) == [Piece(RAW[:-1], ("incomplete",)), Piece(NAMED_RAW)]


def test_a_lost_lf_is_made_good_where_crc_and_length_are_right() -> None:
    assert split(ALARM[1:] + NAMED) == [Piece(RAW, ("lf_missing",)), Piece(NAMED_RAW)]
    assert split(ALARM[2:] + NAMED) == [Piece(NAMED_RAW, ("bytes_before_frame",))]


def test_when_it_is_quiet_only_a_whole_frame_is_taken_without_its_cr() -> None:
    splitter = Splitter()
    assert splitter.feed(ALARM[:-1]) == [] and splitter.begun
    assert splitter.quiet() == [Piece(RAW, ("cr_missing",))]
    assert not splitter.begun and splitter.feed(b"\r") == [] and splitter.end() == []
    assert splitter.feed(ALARM[:-2]) == [] and splitter.quiet() == [] and splitter.begun
    assert splitter.feed(ALARM[-2:]) == [Piece(RAW)]


def test_what_is_cut_off_is_incomplete() -> None:
    assert split(ALARM[:30]) == [Piece(RAW[:29], ("incomplete",))]
    assert split(ALARM[:-1]) == [Piece(RAW, ("cr_missing",))]
    assert split(b"\n") == split(b"") == split(b"noise") == []


def test_what_never_ends_is_not_held() -> None:
    splitter = Splitter()
    (piece,) = [piece for _ in range(4) for piece in splitter.feed(b"\n" + b"x" * (MAX_FRAME // 3) if _ == 0 else b"x" * (MAX_FRAME // 3))]
    assert piece == Piece(b"x" * MAX_FRAME, ("too_large",))
    assert splitter.feed(b"y" * 100_000 + ALARM) == [Piece(RAW, ("bytes_before_frame",))]
    assert all(not Splitter().feed(b"z" * MAX_FRAME) for _ in range(2))


def test_the_head_is_compared_with_the_body() -> None:
    assert checked(RAW) == checked(RAW[:4].lower() + RAW[4:])
    right = checked(RAW)
    assert (right.crc, right.length) == (True, True)
    assert checked(RAW[:4] + b"0001" + RAW[8:]).length is False and checked(RAW[:4] + b"0001" + RAW[8:]).crc is True
    assert checked(RAW[:4] + b"ZZZZ" + RAW[8:]).length is False
    assert checked(b"ZZZZ" + RAW[4:]).crc is None and checked(b"").crc is None and checked(b"AB12").crc is not True
    assert checked(RAW + b" ").crc is False


@given(st.lists(st.binary(max_size=60)), st.booleans())
def test_junk_raises_nothing_and_the_frame_after_it_is_found(junk: list[bytes], closed: bool) -> None:
    splitter = Splitter()
    for segment in junk:
        splitter.feed(segment)
    splitter.quiet()
    if closed:
        splitter.end()
    assert splitter.feed(b"\r" + ALARM)[-1].raw == RAW


@given(st.lists(st.integers(0, len(ALARM) * 3), max_size=8))
def test_however_it_is_cut(cuts: list[int]) -> None:
    whole, marks = ALARM * 3, sorted({0, *cuts, len(ALARM) * 3})
    assert split(*(whole[a:b] for a, b in pairwise(marks)), end=False) == [Piece(RAW)] * 3
