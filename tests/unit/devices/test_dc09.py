"""SIA DC-09 frames: what is taken, what is flagged, what goes back, and what is reported."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from services.devices.adapters.dc09 import EARLIEST, LATEST, Frame, answer, moment, read, reports
from services.devices.adapters.dc09_crypto import decrypt, encrypt, key_of
from services.devices.adapters.dc09_frames import Piece, checked, framed
from services.devices.adapters.report import Report, Signal
from simulator import dc09_frames as panel

NOW = datetime(2026, 3, 2, 14, 5, 9, tzinfo=UTC)
STAMP = "_14:05:09,03-02-2026"
KEY, OTHER = bytes(range(16)), bytes(range(1, 17))
CAPTURES = Path(__file__).parents[4] / "shared/real-input/dc09"


def piece(body: str | bytes, charset: str = "utf-8") -> Piece:
    return Piece(framed(body if isinstance(body, bytes) else body.encode(charset))[1:-1])


def of(body: str | bytes, charset: str = "utf-8", key: bytes | None = None, now: datetime | None = None) -> Frame:
    return read(piece(body, charset), now, lambda _: [key] if key else [])


def sealed(inner: str, kind: str = "SIA-DCS", key: bytes = KEY, charset: str = "utf-8") -> bytes:
    return f'"*{kind}"0121R0L0#4A21['.encode() + encrypt(key, inner.encode(charset))


def told(frame: Frame, reply: str = "") -> str:
    said = answer(frame, NOW, reply)
    if said is None:
        return ""
    assert said[:1] == b"\n" and said[-1:] == b"\r"
    found = checked(said[1:-1])
    assert found.crc and found.length
    return found.body.decode()


def only(frame: Frame) -> Report:
    (report,) = reports(frame)
    return report


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no captures beside this checkout")
def test_every_capture_is_answered_as_it_should_be() -> None:
    valid, suspect = ([line for line in (CAPTURES / f"frames-{name}.txt").read_bytes().split(b"\n") if line and line[:1] != b"#"]
                      for name in ("valid", "suspect"))
    assert [read(Piece(line)).reply for line in valid] == ["ACK", "ACK", "none", "ACK", "ACK"]
    assert [(f.verdict, f.flags) for f in (read(Piece(line)) for line in suspect)] == [
        ("nak", ("crc", "length")), ("accept_flag", ("length",))]


def test_a_frame_is_taken_apart() -> None:
    frame = of(f'"SIA-DCS"0101R579BDFL789ABC#4a21[#4A21|Nri1/BA003][X116W23][H14:00:00,03-02-2026]{STAMP}')
    assert (frame.verdict, frame.reply, frame.flags, frame.type, frame.encrypted) == ("accept", "ACK", (), "SIA-DCS", False)
    assert (frame.seq, frame.receiver, frame.line, frame.account) == ("0101", "579BDF", "789ABC", "4A21")
    assert (frame.inner.data, frame.inner.extra, frame.inner.stamp) == (
        "#4A21|Nri1/BA003", ("X116W23", "H14:00:00,03-02-2026"), STAMP[1:])


@pytest.mark.parametrize(("body", "account", "start"), [
    ('"ADM-CID"0001L0#4A21[#4A21|1130 01 003]', "4A21", '"ACK"0001L0#4A21[]'),
    ('"ADM-CID"0001R0L0#4A21[#4A21|1130 01 003]', "4A21", '"ACK"0001R0L0#4A21[]'),
    ('"ADM-CID"0001RL0#4A21[|1130 01 003]', "4A21", '"ACK"0001RL0#4A21[]'),
    ('"SIA-DCS"4738R0001L0001[#006969|Nri04/OP001NM]', "006969", '"ACK"4738R0001L0001#006969[]'),
    ('"SIA-DCS"0001L0[|Nri04/OP001NM]', "", '"ACK"0001L0[]'),
    ('"ADM-CID"0001L0#4A21[#4A21|1130 01 003]_00:00:00,01-01-2000', "4A21", f'"ACK"0001L0#4A21[]{STAMP}'),
])
def test_the_answer_has_number_receiver_line_and_account_of_the_frame(body: str, account: str, start: str) -> None:
    frame = of(body)
    assert (frame.reply, frame.account, told(frame)) == ("ACK", account, start)


def test_a_wrong_crc_is_refused_with_our_time_and_without_a_number() -> None:
    raw = piece(f'"ADM-CID"0110R0L0#4A21[#4A21|1110 01 008]{STAMP}').raw.replace(b"008", b"009")
    frame = read(Piece(raw))
    assert (frame.verdict, frame.flags, reports(frame)) == ("nak", ("crc",), [])
    assert told(frame) == f'"NAK"0000R0L0A0[]{STAMP}'


@pytest.mark.parametrize("length", [b"0000", b"0078", b"ZZZZ", b""])
def test_a_wrong_length_is_taken_where_the_crc_is_right_and_told(length: bytes) -> None:
    raw = piece('"ADM-CID"0110R0L0#4A21[#4A21|1110 01 008]').raw
    frame = read(Piece(raw[:4] + length + raw[8:]))
    assert (frame.verdict, frame.reply, frame.flags, only(frame).findings) == ("accept_flag", "ACK", ("length",), ("length",))


@pytest.mark.parametrize("raw", [b"", b"x", b"ZZZZ0034\"SIA-DCS\"", b"HELO example.org", b"\"NULL\"0000[]", b"AB\"NULL\"[]"])
def test_what_is_no_frame_is_refused(raw: bytes) -> None:
    assert read(Piece(raw)) == Frame(raw=raw, verdict="nak", reply="NAK", flags=("format",))


def test_what_came_in_full_but_says_nothing_is_not_understood() -> None:
    frame = of('"SIA-DCS"')
    assert (frame.verdict, frame.reply, frame.flags, told(frame)) == ("accept_flag", "DUH", ("format",), '"DUH"0000L0[]')
    assert of('"SIA-DCS"0001L0#4A21[no end').flags == ("format",)


@pytest.mark.parametrize(("flag", "verdict", "reply"), [
    ("cr_missing", "accept_flag", "ACK"), ("lf_missing", "accept_flag", "ACK"), ("bytes_before_frame", "accept_flag", "ACK"),
    ("incomplete", "incomplete", "none"), ("too_large", "nak", "NAK")])
def test_what_was_odd_on_the_line(flag: str, verdict: str, reply: str) -> None:
    frame = read(Piece(piece('"ADM-CID"0001L0#4A21[#4A21|1130 01 003]').raw, (flag,)))
    assert (frame.verdict, frame.reply, frame.flags) == (verdict, reply, (flag,))


@pytest.mark.parametrize("kind", ["ACK", "NAK", "DUH", "RSP", "*ACK", "*DUH"])
def test_an_answer_is_never_answered(kind: str) -> None:
    frame = of(f'"{kind}"0000R0L0#4A21[]{STAMP}')
    assert (frame.verdict, frame.reply, told(frame), reports(frame)) == ("accept", "none", "", [])


def test_a_link_test_says_nothing() -> None:
    frame = of(f'"NULL"0000R7L1#4A21[]{STAMP}')
    assert frame.is_link_test and frame.said == () and told(frame) == f'"ACK"0000R7L1#4A21[]{STAMP}'
    assert only(frame).kind == "link_test"


def test_an_unknown_type_is_kept_and_not_understood() -> None:
    frame = of('"VID-NEW"0007L0#4A21[#4A21|something]')
    assert (frame.verdict, frame.reply, frame.flags, told(frame)) == ("accept_flag", "DUH", ("unknown_type",), '"DUH"0007L0#4A21[]')
    report = only(frame)
    assert (report.kind, report.code, report.signal) == ("panel_signal", "VID-NEW", Signal("other"))
    assert "unknown_type" in report.findings


def test_data_that_cannot_be_read_are_kept_as_other() -> None:
    frame = of('"ADM-CID"0007L0#4A21[#4A21|what?]')
    assert (frame.verdict, frame.reply) == ("accept", "ACK")
    assert (only(frame).code, only(frame).signal, only(frame).findings) == ("ADM-CID", Signal("other"), ("data_unknown",))


# words


@pytest.mark.parametrize("name", ["三号楼消防通道", "東區會館", "郵局門口", "北门岗亭", "Küche"])
@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_names_in_either_character_set(name: str, charset: str) -> None:
    frame = of(f'"SIA-DCS"0160R0L0#4A21[#4A21|Nri1/FA021^{name}^]{STAMP}', charset)
    assert (frame.verdict, frame.said[0].text, frame.said[0].zone, frame.inner.stamp) == ("accept", name, 21, STAMP[1:])


@pytest.mark.parametrize("name", [b"\xff\xff", b"K\xfcche", b"\x80", b"caf\xe9", b"\xfc"])
def test_names_in_no_character_set_are_kept_raw_and_flagged_and_the_alarm_is_read(name: bytes) -> None:
    frame = of(b'"SIA-DCS"0160R0L0#4A21[#4A21|Nri1/FA021^' + name + b"^]" + STAMP.encode())
    assert (frame.reply, frame.said[0].code, frame.said[0].zone, frame.inner.stamp) == ("ACK", "FA", 21, STAMP[1:])
    assert frame.raw.count(name) == 1


@given(st.text(st.characters(codec="gb18030", exclude_characters="^[]|\r\n", exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_whatever_the_name_in_gb18030_the_structure_is_found(name: str) -> None:
    frame = of(f'"SIA-DCS"0160R0L0#4A21[#4A21|Nri1/FA021^{name}^]{STAMP}', "gb18030")
    assert (frame.reply, frame.said[0].code, frame.said[0].zone, frame.inner.stamp) == ("ACK", "FA", 21, STAMP[1:])


@pytest.mark.parametrize("extra", ["\0\1'", "\0\3\1\2\3", "0003ABC", "M0026B9E4268B"])
def test_an_extra_field_is_no_part_of_the_event_before_it(extra: str) -> None:
    frame = of(f'"HENG-BO"0001R1234L6789#13800001111[#000010|1110 00 003][{extra}]{STAMP}')
    assert (frame.verdict, frame.inner.extra, frame.inner.stamp) == ("accept", (extra,), STAMP[1:])
    assert (only(frame).code, only(frame).signal) == ("1110", Signal("contact_id", 0, 3))


# encrypted


@pytest.mark.parametrize("key", [bytes(range(16)), bytes(range(24)), bytes(range(32))])
def test_an_encrypted_frame_is_opened_and_acknowledged_encrypted(key: bytes) -> None:
    frame = of(sealed(f"|#4A21|Nri1/BA003^門^]{STAMP}", key=key), key=key, now=NOW)
    assert (frame.verdict, frame.reply, frame.key, frame.inner.data) == ("accept", "ACK", key, "#4A21|Nri1/BA003^門^")
    said = told(frame)
    assert said.startswith('"*ACK"0121R0L0#4A21[')
    plain = decrypt(key, said.partition("[")[2].encode())
    assert plain.endswith(f"]{STAMP}".encode()) and len(plain) % 16 == 0 and not set(b"[]|") & set(plain[: -len(STAMP) - 1])


@pytest.mark.parametrize("inner", ["]", "|]"])
def test_an_encrypted_link_test(inner: str) -> None:
    frame = of(sealed(f"{inner}{STAMP}", "NULL"), key=KEY, now=NOW)
    assert frame.is_link_test and told(frame).startswith('"*ACK"0121')


@pytest.mark.parametrize("inner", ["|#4A21|1130 01 003", "#4A21|1130 01 003", "||1130 01 003", "|1130 01 003"])
def test_where_the_pad_ends(inner: str) -> None:
    frame = of(sealed(f"{inner}]{STAMP}", "ADM-CID"), key=KEY, now=NOW)
    assert (only(frame).code, only(frame).signal) == ("1130", Signal("contact_id", 1, 3))


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
@pytest.mark.parametrize("last", [0x01, 0x22, 0x5F, 0x81, 0xE9, 0xFE, 0xFF])
def test_whatever_bytes_pad_the_name_and_the_code_stay(last: int, charset: str) -> None:
    inner = f"|Nri1/FA021^东區會館^]{STAMP}".encode(charset)
    padded = bytes([0x9D] * (15 - len(inner) % 16) + [last]) + inner
    box = Cipher(algorithms.AES(KEY), modes.CBC(bytes(16))).encryptor().update(padded)
    frame = of(b'"*SIA-DCS"0121R0L0#4A21[' + box.hex().upper().encode(), key=KEY, now=NOW)
    assert (frame.verdict, frame.reply, frame.inner.data) == ("accept", "ACK", "Nri1/FA021^东區會館^")
    assert (only(frame).code, only(frame).signal) == ("FA", Signal("sia", 1, 21))


def test_a_frame_that_was_really_sent_is_opened() -> None:
    raw = b'76D80055"*NULL"0000R0L0#AAAB[B4BC8B40D0E6D959D6BEA78E88CC0B2155741A3C44FBB96D476A3E557CAD64D9'
    frame = read(Piece(raw), None, lambda account: [b"A" * 16] if account == "AAAB" else [])
    assert frame.is_link_test and frame.inner.stamp == "18:24:52,07-05-2020"
    assert read(Piece(raw)).flags == ("encrypted_no_key",)


@pytest.mark.parametrize("body", [
    sealed(f"|#4A21|Nri1/BA003]{STAMP}", key=OTHER), sealed("|#4A21|Nri1/BA003]"), b'"*SIA-DCS"0121R0L0#4A21[ABC',
    b'"*SIA-DCS"0121R0L0#4A21[', b'"*SIA-DCS"0121R0L0#4A21[xy]', '"*SIA-DCS"0121R0L0#4A21[门'.encode(),
], ids=["another key", "half a block", "cut off", "empty", "no hexadecimals", "not ASCII"])
def test_what_no_key_opens_is_not_understood(body: bytes) -> None:
    frame = of(body, key=KEY, now=NOW)
    assert (frame.verdict, frame.reply, frame.flags, reports(frame)) == ("accept_flag", "DUH", ("encrypted_no_key",), [])
    assert told(frame) == '"DUH"0121R0L0#4A21[]'


def test_of_several_keys_the_right_one_opens() -> None:
    assert read(piece(sealed(f"|#4A21|Nri1/BA003]{STAMP}")), NOW, lambda _: [OTHER, KEY]).key == KEY


@pytest.mark.parametrize(("late", "taken"), [(EARLIEST, True), (LATEST, True), (EARLIEST - 1, False), (LATEST + 1, False), (0, True)])
def test_an_encrypted_frame_is_of_now(late: int, taken: bool) -> None:
    stamp = f"_{NOW + timedelta(seconds=late):%H:%M:%S,%m-%d-%Y}"
    frame = of(sealed(f"|#4A21|Nri1/BA003]{stamp}"), key=KEY, now=NOW)
    assert (frame.verdict, frame.reply) == (("accept", "ACK") if taken else ("nak", "NAK"))
    assert taken or (told(frame) == f'"NAK"0000R0L0A0[]{STAMP}' and frame.flags == ("time_out_of_range",) and reports(frame) == [])
    assert (EARLIEST, LATEST) == (-40, 20)


def test_in_plain_no_time_is_out_of_range() -> None:
    assert of('"ADM-CID"0001L0#4A21[#4A21|1130 01 003]_00:00:00,01-01-2000', now=NOW).verdict == "accept"


@pytest.mark.parametrize("text", ["", "00" * 15, "00" * 17, "0x" + "0" * 30, "g" * 32, "٠" * 32])
def test_keys_are_hex_of_a_size_that_aes_has(text: str) -> None:
    with pytest.raises(ValueError, match="hex digits"):
        key_of(text)


# reports


def test_a_report_says_where_and_when() -> None:
    report = only(of(f'"ADM-CID"0102R0L0#4A21[#4A21|1130 01 003]{STAMP}'))
    assert (report.kind, report.code, report.signal, report.history) == ("panel_signal", "1130", Signal("contact_id", 1, 3), False)
    assert (report.device_time, report.device_time_raw, report.findings) == (NOW, STAMP[1:], ())


def test_when_it_happened_counts_before_when_it_was_sent() -> None:
    report = only(of(f'"ADM-CID"0102R0L0#4A21[#4A21|1130 01 003][H13:00:00,03-02-2026]{STAMP}'))
    assert report.device_time == NOW.replace(hour=13, minute=0, second=0)


def test_an_old_event_is_history() -> None:
    assert only(of('"SIA-DCS"0102R0L0#4A21[#4A21|Ori1/BA003]')).history


def test_several_codes_are_several_reports_with_marks_of_their_own() -> None:
    found = reports(of('"SIA-DCS"0102R0L0#4A21[#4A21|Nri1/BA003/BA003]'))
    assert [report.code for report in found] == ["BA", "BA"] and found[0].mark != found[1].mark


def test_words_stand_in_the_personal_field_alone() -> None:
    report = only(of('"SIA-DCS"0102R0L0#4A21[#4A21|Nri1/BA003^张三^][Vhttp://example.org/z]'))
    assert "张三" in (report.text or "")
    assert "张三" not in repr({name: getattr(report, name) for name in report.__struct_fields__ if name != "text"})


@pytest.mark.parametrize("other", ["0103R0L0#4A21[#4A21|1130 01 003]", "0102R0L1#4A21[#4A21|1130 01 003]",
                                   "0102R0L0#4A21[#4A21|1130 01 004]", "0102R0L0#4A21[#4A21|3130 01 003]",
                                   f"0102R0L0#4A21[#4A21|1130 01 003]{STAMP}"])
def test_another_frame_has_another_mark(other: str) -> None:
    first, again = (only(of('"ADM-CID"0102R0L0#4A21[#4A21|1130 01 003]')) for _ in range(2))
    assert first.mark == again.mark != only(of(f'"ADM-CID"{other}')).mark


@pytest.mark.parametrize("stamp", ["", "14:05:09", "25:00:00,03-02-2026", "14:05:09,02-30-2026", "14:05:09,09-25-1",
                                   "１4:05:09,03-02-2026"])
def test_times_that_are_none(stamp: str) -> None:
    assert moment(stamp) is None
    report = only(of(f'"ADM-CID"0102R0L0#4A21[#4A21|1130 01 003]_{stamp}'))
    assert report.device_time is None and report.findings == (("clock_unreadable",) if stamp else ())


# whatever comes


@given(st.binary(max_size=200), st.booleans())
def test_junk_raises_nothing_and_is_refused_or_kept(junk: bytes, right: bool) -> None:
    raw = b"%s" % framed(b'"' + junk)[1:-1] if right else junk
    frame = read(Piece(raw), NOW, lambda _: [KEY])
    answer(frame, NOW)
    reports(frame)
    assert frame.raw == raw


def test_a_number_of_thousands_of_digits_raises_nothing_and_the_alarm_is_read() -> None:
    report = only(of(f'"SIA-DCS"0001L0#FFFF[#FFFF|Nri{"9" * 4301}/FA003]'))
    assert (report.code, report.signal) == ("FA", Signal("sia", None, 3))


@given(st.sampled_from(["SIA-DCS", "ADM-CID", "HENG-BO", "*SIA-DCS", "NULL", "X"]),
       st.text(alphabet='|[]^#_/"*RLA0Nri1BF \\门\x00', max_size=60), st.sampled_from(["utf-8", "gb18030"]))
def test_odd_data_raise_nothing(kind: str, data: str, charset: str) -> None:
    frame = of(f'"{kind}"0001R0L0#4A21[{data}', charset, KEY, NOW)
    assert all(report.kind in ("panel_signal", "link_test") for report in reports(frame)) and frame.reply != "none"
    assert told(frame)


@given(
    number=st.integers(1, 9999), partition=st.integers(0, 99), zone=st.integers(0, 999), protocol=st.sampled_from(["contact_id", "sia"]),
    key=st.sampled_from([None, KEY]), text=st.text(st.characters(codec="gb18030", exclude_characters="^[]|\r\n"), max_size=12))
def test_what_the_simulated_panel_writes_is_read(
    number: int, partition: int, zone: int, protocol: Any, key: bytes | None, text: str,
) -> None:
    code = "1110" if protocol == "contact_id" else "FA"
    kind, data = panel.Signal(code=code, partition=partition, zone=zone, protocol=protocol, text=text).data
    raw = panel.frame(kind, number, "4A21", data, NOW, key)
    frame = read(Piece(raw[1:-1]), None, lambda _: [key] if key else [])
    report = only(frame)
    assert (frame.verdict, frame.seq, report.code, report.device_time) == ("accept", f"{number:04d}", code, NOW)
    assert report.signal == Signal(protocol, partition, zone)
    said = answer(frame, NOW)
    assert said and panel.read_answer(said, number) == "ACK" and panel.read_answer(said, number % 9999 + 1) == "none"
