"""A visitor's code: what was signed reads back, and nothing else is accepted."""

import random
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.eventkit.privacy import BadSecret, base64url
from services.access.qr import SIGNED, SIZE, BadCode, Code, Signer, key_id, payload_of, text_of, verify

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
HERE = UUID(int=77)
SEED, OLDER = bytes(range(100, 132)), bytes(range(200, 232))
SIGNER = Signer([SEED])
CODE = Code(UUID(int=5), HERE, NOW, NOW + timedelta(hours=2), 1, ("building:a", "community"), (-1, 7))
PAYLOAD = SIGNER.sign(CODE)


def refused(payload: bytes, *, keys=SIGNER.public, now: datetime = NOW, community: UUID = HERE) -> str:
    with pytest.raises(BadCode) as bad:
        verify(payload, keys, now, community)
    return bad.value.code


def test_a_code_says_what_was_signed_in_111_bytes():
    assert len(PAYLOAD) == SIZE == 111
    found = verify(payload_of(text_of(PAYLOAD)), SIGNER.public, NOW, HERE)
    assert (found.pass_id, found.valid_from, found.valid_until, found.uses, found.floors) == (
        CODE.pass_id, CODE.valid_from, CODE.valid_until, 1, (-1, 7))
    assert [zone for zone in ("community", "building:a", "building:b") if found.opens(zone)] == ["community", "building:a"]


def test_a_code_that_never_is_used_up_and_opens_the_gates_alone():
    found = verify(SIGNER.sign(replace(CODE, uses=None, zones=("community",), floors=())), SIGNER.public, NOW, HERE)
    assert (found.uses, found.floors, found.opens("building:a"), found.opens("community")) == (None, (), False, True)


def test_a_code_is_good_in_its_time_and_its_community():
    assert refused(PAYLOAD, now=NOW - timedelta(seconds=1)) == "pass_not_yet_valid"
    assert refused(PAYLOAD, now=NOW + timedelta(hours=2)) == "pass_expired"
    assert refused(PAYLOAD, community=UUID(int=78)) == "qr_of_another_community"


@pytest.mark.parametrize(("field", "value"), [(0, 2), (0, 0), (7, 0b100), (7, 0b111)], ids=["later", "earlier", "no zone", "three"])
def test_a_code_of_a_version_or_with_flags_that_a_reader_does_not_know_is_refused_though_we_signed_it(field: int, value: int):
    fields = list(SIGNED.unpack_from(PAYLOAD))
    fields[field] = value
    signed = SIGNED.pack(*fields)
    assert refused(signed + SIGNER._key.sign(signed)) == "qr_malformed"


def test_a_code_is_good_for_thirty_one_days_at_most():
    longest = replace(CODE, valid_until=NOW + timedelta(days=31))
    assert verify(SIGNER.sign(longest), SIGNER.public, NOW, HERE)
    for until in (longest.valid_until + timedelta(seconds=1), NOW):
        assert refused(SIGNER.sign(replace(CODE, valid_until=until))) == "qr_malformed"


def test_a_code_of_another_key_is_refused_also_where_it_claims_to_be_of_ours():
    other = Signer([OLDER])
    assert refused(other.sign(CODE)) == "qr_key_unknown"
    ours = next(iter(SIGNER.public))
    assert refused(other.sign(CODE), keys={key_id(k): SIGNER.public[ours] for k in other.public.values()}) == "qr_signature_wrong"


def test_after_a_change_of_keys_the_old_codes_are_good_and_new_ones_are_signed_by_the_newest():
    both = Signer.of(f"{base64url(SEED)}\n{base64url(OLDER)}")
    assert verify(PAYLOAD, both.public, NOW, HERE)
    assert refused(both.sign(CODE)) == "qr_key_unknown"


@pytest.mark.parametrize("text", ["", "x" * 43, base64url(bytes(32))])
def test_a_seed_that_is_none_is_refused(text):
    with pytest.raises(BadSecret):
        Signer.of(text)


@pytest.mark.parametrize("text", ["", "x", text_of(PAYLOAD)[:-1], text_of(PAYLOAD) + "=", "é" * 148, " " * 148, "1" * 148])
def test_what_is_no_code_is_refused(text):
    with pytest.raises(BadCode, match="qr_malformed"):
        verify(payload_of(text), SIGNER.public, NOW, HERE)


def test_every_single_bit_counts():
    for bit in range(SIZE * 8):
        altered = bytearray(PAYLOAD)
        altered[bit // 8] ^= 1 << bit % 8
        refused(bytes(altered))


def accepted(seed: int, count: int) -> int:
    """How many of so many altered codes pass: bytes changed, parts exchanged between two codes, cut, made longer."""
    chance, other, found = random.Random(seed), SIGNER.sign(replace(CODE, pass_id=UUID(int=6), uses=None)), 0
    for _ in range(count):
        altered = bytearray(PAYLOAD)
        match chance.randrange(4):
            case 0:
                altered[chance.randrange(SIZE)] ^= 1 << chance.randrange(8)
            case 1:
                for _ in range(chance.randint(1, 8)):
                    altered[chance.randrange(SIZE)] = chance.randrange(256)
            case 2:
                start, length = chance.randrange(SIZE), chance.randint(1, SIZE)
                altered[start:start + length] = other[start:start + length]
            case 3:
                altered = altered[:chance.randrange(SIZE)] + chance.randbytes(chance.randrange(SIZE))
        if bytes(altered) in (PAYLOAD, other):
            continue
        try:
            verify(bytes(altered), SIGNER.public, NOW, HERE)
        except BadCode:
            continue
        found += 1
    return found


def test_no_altered_code_is_accepted():
    assert accepted(1, 20_000) == 0


@pytest.mark.faults
def test_of_a_million_altered_codes_none_is_accepted():
    with ProcessPoolExecutor(2) as pool:
        assert sum(pool.map(accepted, range(2, 22), [50_000] * 20)) == 0


def test_the_document_counts_the_same_bytes():
    document = (Path(__file__).parents[3] / "docs" / "visitor-qr.md").read_text()
    rows = [line.split("|")[1:4] for line in document.splitlines() if line.startswith("| ") and line.split("|")[1].strip().isdigit()]
    assert sum(int(length) for _, length, _ in rows) == SIZE
    assert [int(start) for start, _, _ in rows] == [sum(int(r[1]) for r in rows[:n]) for n in range(len(rows))]
