import base64
import os
import re
from uuid import UUID, uuid4

import msgspec
import pytest

from libs.eventkit.privacy import (
    BadSecret,
    BlindIndex,
    Erased,
    Keks,
    KeyHandle,
    KeyRecord,
    MissingKek,
    Pending,
    Tampered,
    base64url,
    encrypt,
    masked,
    open_box,
    seal,
    secret_bytes,
    unbase64url,
)
from libs.eventkit.sealed import Sealed

DEK, KEY_ID, EVENT_ID = os.urandom(32), uuid4(), uuid4()
ID_NUMBER = "11010519491231002X"


@pytest.fixture
def sealed() -> Sealed:
    return seal(DEK, KEY_ID, EVENT_ID, "id_number", ID_NUMBER)


@pytest.mark.parametrize("plaintext", [ID_NUMBER, "张三", "", b"\x00\xff", b"x" * 100_000])
def test_what_was_sealed_opens(plaintext: str | bytes):
    raw = plaintext.encode() if isinstance(plaintext, str) else plaintext
    assert open_box(DEK, seal(DEK, KEY_ID, EVENT_ID, "slot", plaintext)) == raw


def test_the_same_value_never_looks_the_same(sealed: Sealed):
    assert seal(DEK, KEY_ID, EVENT_ID, "id_number", ID_NUMBER).box != sealed.box


def test_a_sealed_value_moves_whole_through_json(sealed: Sealed):
    assert open_box(DEK, msgspec.json.decode(msgspec.json.encode(sealed), type=Sealed)) == ID_NUMBER.encode()


@pytest.mark.parametrize("moved", [{"event_id": uuid4()}, {"slot": "phone"}, {"slot": "id_numbe"}, {"slot": ""}])
def test_a_box_opens_nowhere_else(sealed: Sealed, moved: dict[str, object]):
    with pytest.raises(Tampered):
        open_box(DEK, msgspec.structs.replace(sealed, **moved))


def test_a_box_opens_with_no_other_key(sealed: Sealed):
    with pytest.raises(Tampered):
        open_box(os.urandom(32), sealed)


def test_every_flipped_byte_is_noticed(sealed: Sealed):
    box = unbase64url(sealed.box)
    for i in range(len(box)):
        altered = base64url(box[:i] + bytes([box[i] ^ 1]) + box[i + 1 :])
        with pytest.raises(Tampered):
            open_box(DEK, msgspec.structs.replace(sealed, box=altered))


@pytest.mark.parametrize("box", ["", "A", "AAAA", "=", "not base64!", "中文", "A" * 37])
def test_an_unreadable_box_is_noticed(sealed: Sealed, box: str):
    with pytest.raises(Tampered):
        open_box(DEK, msgspec.structs.replace(sealed, box=box))


def test_a_cut_off_box_is_noticed(sealed: Sealed):
    for length in range(len(sealed.box)):
        with pytest.raises(Tampered):
            open_box(DEK, msgspec.structs.replace(sealed, box=sealed.box[:length]))


def test_no_repr_shows_the_box(sealed: Sealed):
    class Moved(msgspec.Struct):
        name: Sealed

    for shown in (repr(sealed), str(sealed), f"{sealed}", repr(Moved(sealed)), repr(sealed.__rich_repr__())):
        assert sealed.box not in shown
        assert "id_number" in shown


def test_a_key_in_the_clear_is_neither_shown_nor_encoded():
    handle = KeyHandle(KEY_ID, DEK, True)
    assert repr(DEK)[2:-1] not in repr(handle)
    with pytest.raises(TypeError):
        msgspec.json.encode(handle)


def test_a_key_record_travels_as_json():
    record = KeyRecord(KEY_ID, uuid4(), "person:1", "contact", "identity", "k1", b"\x00\xff")
    body = msgspec.json.encode(record)
    assert msgspec.json.decode(body)["wrapped"] == base64.b64encode(b"\x00\xff").decode()
    assert msgspec.json.decode(body, type=KeyRecord) == record


def test_a_wrapped_key_is_bound_to_whose_it_is():
    record = KeyRecord(KEY_ID, uuid4(), "person:1", "contact", "identity", "k1")
    others = {"key_id": uuid4(), "community_id": uuid4(), "subject": "person:2", "purpose": "card", "owner": "access"}
    bound = {record.bound, *(msgspec.structs.replace(record, **{name: value}).bound for name, value in others.items())}
    assert len(bound) == 1 + len(others)
    assert msgspec.structs.replace(record, kek_id="k2", wrapped=b"new").bound == record.bound


# secrets


def written(tmp_path, name: str, *lines: str):
    (tmp_path / name).write_text("\n".join(lines) + "\n")
    return tmp_path


def test_a_bare_key_is_named_by_its_hash(tmp_path):
    key = os.urandom(32)
    kek_id, kek = Keks.load(written(tmp_path, "kek-contact", base64url(key))).current("contact")
    assert kek == key
    assert re.fullmatch("[0-9a-f]{8}", kek_id)


def test_the_last_line_is_current_and_the_others_still_unwrap(tmp_path):
    old, new = os.urandom(32), os.urandom(32)
    keks = Keks.load(written(tmp_path, "kek-contact", f"2025:{base64url(old)}", "", f"2026:{base64url(new)}="))
    assert keks.current("contact") == ("2026", new)
    record = KeyRecord(KEY_ID, uuid4(), "person:1", "contact", "identity", "2025")
    assert keks.unwrap(msgspec.structs.replace(record, wrapped=encrypt(old, DEK, record.bound))) == DEK


def test_a_purpose_that_was_not_given_is_missing(tmp_path):
    keks = Keks.load(written(tmp_path, "kek-contact", base64url(os.urandom(32))))
    with pytest.raises(MissingKek, match="credential"):
        keks.current("credential")
    with pytest.raises(MissingKek, match="contact 1999"):
        keks.unwrap(KeyRecord(KEY_ID, uuid4(), "person:1", "contact", "identity", "1999", b"wrapped"))


PLACEHOLDERS = {
    "empty": "",
    "a word": "changeme",
    "one letter": "A" * 43,
    "a phrase": base64url(b"please-replace-me-before-Monday!"),
    "31 bytes": base64url(os.urandom(31)),
    "33 bytes": base64url(os.urandom(33)),
    "16 bytes": base64url(os.urandom(16)),
    "a repetition": base64url(os.urandom(8) * 4),
    "outside the alphabet": "!!!!" + base64url(os.urandom(32)),
}


@pytest.mark.parametrize("text", PLACEHOLDERS.values(), ids=PLACEHOLDERS)
def test_a_placeholder_is_no_secret(tmp_path, text: str):
    with pytest.raises(BadSecret) as refused:
        secret_bytes(text, "blind-index")
    assert "blind-index" in str(refused.value)
    assert not text or text not in str(refused.value)
    with pytest.raises(BadSecret, match="kek-contact"):
        Keks.load(written(tmp_path, "kek-contact", text))


def test_one_id_names_one_key(tmp_path):
    lines = [f"k1:{base64url(os.urandom(32))}" for _ in range(2)]
    with pytest.raises(BadSecret, match="one id"):
        Keks.load(written(tmp_path, "kek-contact", *lines))


# what is shown


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("phone", "13812345678", "138****5678"),
        ("phone", "+8613812345678", "+86*******5678"),
        ("phone", "84321234", "********"),
        ("phone", "110", "***"),
        ("id_number", "31010519491231001X", "310***********001X"),
        ("id_number", "", ""),
        ("card", "6222021234", "****1234"),
        ("card", "1234", "****"),
        ("name", "张三", "张*"),
        ("name", "欧阳娜娜", "欧*"),
        ("name", "", "*"),
    ],
)
def test_personal_values_are_masked(kind, value: str, shown: str):
    assert masked(value, kind) == shown
    assert masked(value.encode(), kind) == shown


@pytest.mark.parametrize("unseen", [Erased(), Pending()])
def test_what_cannot_be_opened_stays_an_ordinary_value(unseen):
    assert masked(unseen, "phone") == unseen
    assert msgspec.json.decode(msgspec.json.encode(unseen)) == {"type": type(unseen).__name__.lower()}


# blind index


def test_a_blind_index_finds_within_one_community_and_scope_only():
    index, here, there = BlindIndex(b"k" * 32), UUID(int=1), UUID(int=2)
    found = index.of(here, "phone", "13812345678")
    assert found == BlindIndex(b"k" * 32).of(here, "phone", "13812345678") == "9dSU1ka78qvUBj-DCJTv80G44bOSHRX-"
    others = {
        index.of(there, "phone", "13812345678"),
        index.of(here, "plate", "13812345678"),
        index.of(here, "phone", "13812345679"),
        index.of(here, "phone1", "3812345678"),
        BlindIndex(b"l" * 32).of(here, "phone", "13812345678"),
    }
    assert len(others - {found}) == 5
    assert all(re.fullmatch("[A-Za-z0-9_-]{32}", value) for value in (found, *others))
