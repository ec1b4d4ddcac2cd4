"""Keys in a real database: made once, seen by whom they were sent to, gone for good when erased."""

import asyncio
import base64
import os
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from cli.mending import rewrap
from cli.operate import operate
from libs.eventkit.privacy import Erased, Keks, KeyRecord, KeyRing, MissingKek, Pending, Tampered, open_box, seal
from libs.eventkit.service import App
from tests.toy.main import service

PoolOf = Callable[[str], Awaitable[asyncpg.Pool]]
OLD, NEW = os.urandom(32), os.urandom(32)
KEKS = Keks({"contact": {"2025": OLD}})
ROTATED = Keks({"contact": {"2025": OLD, "2026": NEW}})
PHONE = b"13812345678"


@pytest.fixture
async def pool(pool_of: PoolOf) -> asyncpg.Pool:
    return await pool_of("identity")


@pytest.fixture
def ring(pool: asyncpg.Pool) -> KeyRing:
    return KeyRing(pool, "identity", KEKS)


@pytest.fixture
async def elsewhere(pool_of: PoolOf) -> KeyRing:
    return KeyRing(await pool_of("access"), "access", KEKS)


@pytest.fixture
def community() -> UUID:
    return uuid4()


async def sent(ring: KeyRing, key_id: UUID) -> KeyRecord:
    """What arrives elsewhere: the record, through JSON."""
    return msgspec.json.decode(msgspec.json.encode(await ring.record(key_id)), type=KeyRecord)


async def sealed_by(ring: KeyRing, community: UUID, subject: str = "resident:1"):
    key = await ring.key_for(community, subject, "contact")
    return seal(key.dek, key.key_id, uuid4(), "phone", PHONE)


async def test_a_subject_has_one_key(ring: KeyRing, community: UUID):
    key = await ring.key_for(community, "resident:1", "contact")
    again = await ring.key_for(community, "resident:1", "contact")
    other = await ring.key_for(community, "resident:2", "contact")
    assert (again.key_id, again.dek) == (key.key_id, key.dek)
    assert other.key_id != key.key_id and other.dek != key.dek


async def test_fifty_at_once_make_one_key(pool: asyncpg.Pool, community: UUID):
    rings = [KeyRing(pool, "identity", KEKS) for _ in range(50)]
    keys = await asyncio.gather(*(ring.key_for(community, "resident:1", "contact") for ring in rings))
    assert len({(key.key_id, key.dek) for key in keys}) == 1


async def test_a_key_is_new_until_it_is_announced(ring: KeyRing, community: UUID):
    key = await ring.key_for(community, "resident:1", "contact")
    assert key.is_new
    assert (await ring.key_for(community, "resident:1", "contact")).is_new, "its command may have been refused"
    await ring.announced(key.key_id)
    assert not (await ring.key_for(community, "resident:1", "contact")).is_new


async def test_the_key_lies_wrapped(pool: asyncpg.Pool, ring: KeyRing, community: UUID):
    key = await ring.key_for(community, "resident:1", "contact")
    row = await pool.fetchrow("select wrapped, kek_id from keys where key_id = $1", key.key_id)
    assert row is not None and row["kek_id"] == "2025"
    assert len(row["wrapped"]) == 12 + 32 + 16 and key.dek not in row["wrapped"]


async def test_what_was_sealed_opens_in_another_process(pool: asyncpg.Pool, ring: KeyRing, community: UUID):
    sealed = await sealed_by(ring, community)
    assert await ring.open(sealed) == await KeyRing(pool, "identity", KEKS).open(sealed) == PHONE


async def test_a_page_opens_in_order_each_by_its_own_fate(ring: KeyRing, community: UUID):
    kept, erased = await sealed_by(ring, community), await sealed_by(ring, community, "resident:2")
    unknown = msgspec.structs.replace(kept, key_id=uuid4())
    await ring.erase(erased.key_id)
    for _ in range(2):
        assert await ring.open_all([erased, kept, unknown, kept]) == [Erased(), PHONE, Pending(), PHONE]
    assert await ring.open_all([]) == []


async def test_a_key_on_anothers_row_does_not_open(pool: asyncpg.Pool, ring: KeyRing, community: UUID):
    mine, theirs = await sealed_by(ring, community), await sealed_by(ring, community, "resident:2")
    await pool.execute(
        "update keys set wrapped = (select wrapped from keys where key_id = $1) where key_id = $2",
        mine.key_id, theirs.key_id)
    with pytest.raises(Tampered):
        await ring.open(theirs)


async def test_without_the_purposes_kek_nothing_is_made_and_nothing_opens(
    pool: asyncpg.Pool, ring: KeyRing, community: UUID
):
    sealed, without = await sealed_by(ring, community), KeyRing(pool, "identity", Keks({}))
    assert await without.open(sealed) == Pending()
    with pytest.raises(MissingKek):
        await without.key_for(community, "resident:1", "contact")
    with pytest.raises(MissingKek):
        await without.key_for(community, "resident:3", "contact")


# sent elsewhere


async def test_a_value_elsewhere_is_pending_until_its_key_arrives(ring: KeyRing, elsewhere: KeyRing, community: UUID):
    sealed = await sealed_by(ring, community)
    assert await elsewhere.open(sealed) == Pending()
    for _ in range(2):
        await elsewhere.store(await sent(ring, sealed.key_id))
        assert await elsewhere.open(sealed) == PHONE


async def test_an_owner_makes_its_own_key_beside_one_it_was_sent(ring: KeyRing, elsewhere: KeyRing, community: UUID):
    sealed = await sealed_by(ring, community)
    await elsewhere.store(await sent(ring, sealed.key_id))
    assert (await elsewhere.key_for(community, "resident:1", "contact")).key_id != sealed.key_id


async def test_nobody_replaces_the_key_of_another_owner(ring: KeyRing, elsewhere: KeyRing, community: UUID):
    sealed = await sealed_by(ring, community)
    record = await sent(ring, sealed.key_id)
    await elsewhere.store(record)
    await elsewhere.store(msgspec.structs.replace(record, owner="parking", wrapped=b"x" * 60))
    assert await elsewhere.record(sealed.key_id) == record


async def test_an_unknown_key_has_no_record(ring: KeyRing):
    assert await ring.record(uuid4()) is None


# erased


async def test_erasure_is_seen_at_once_and_told_as_a_tombstone(ring: KeyRing, community: UUID):
    sealed = await sealed_by(ring, community)
    assert await ring.open(sealed) == PHONE
    await ring.erase(sealed.key_id)
    assert await ring.open(sealed) == Erased()
    assert (await sent(ring, sealed.key_id)).wrapped is None


async def test_erasure_by_another_process_is_seen_once_it_is_heard(pool: asyncpg.Pool, ring: KeyRing, community: UUID):
    sealed = await sealed_by(ring, community)
    assert await ring.open(sealed) == PHONE
    await KeyRing(pool, "identity", KEKS).erase(sealed.key_id)
    ring.forget(sealed.key_id)
    assert await ring.open(sealed) == Erased()


async def test_erasure_that_nobody_tells_of_is_seen_when_the_cache_has_aged(
    pool: asyncpg.Pool, ring: KeyRing, community: UUID, monkeypatch: pytest.MonkeyPatch
):
    sealed = await sealed_by(ring, community)
    assert await ring.open(sealed) == PHONE
    await KeyRing(pool, "identity", KEKS).erase(sealed.key_id)
    assert await ring.open(sealed) == PHONE
    monkeypatch.setattr("libs.eventkit.privacy.CACHED_SECONDS", 0)
    assert await ring.open(sealed) == Erased()


async def test_an_erasure_during_an_open_leaves_nothing_in_the_cache(ring: KeyRing, community: UUID):
    for n in range(20):
        sealed = await sealed_by(ring, community, f"resident:{n}")
        await asyncio.gather(ring.open(sealed), ring.erase(sealed.key_id), ring.open(sealed))
        assert await ring.open(sealed) == Erased()


@pytest.mark.parametrize("order", ["key first", "tombstone first"])
async def test_a_tombstone_is_final(ring: KeyRing, elsewhere: KeyRing, community: UUID, order: str):
    sealed = await sealed_by(ring, community)
    key = await sent(ring, sealed.key_id)
    await ring.erase(sealed.key_id)
    tombstone = await sent(ring, sealed.key_id)
    for record in [key, tombstone, key] if order == "key first" else [tombstone, key, tombstone]:
        await elsewhere.store(record)
    assert await elsewhere.open(sealed) == Erased()


async def test_a_tombstone_says_whose_key_it_was_also_where_the_key_was_never_seen(ring: KeyRing, pool_of: PoolOf, community: UUID):
    sealed = await sealed_by(ring, community)
    await ring.erase(sealed.key_id)
    tombstone = await sent(ring, sealed.key_id)
    late = KeyRing(await pool_of("parking"), "parking", KEKS)
    assert await late.news([tombstone]) == [tombstone]
    await late.store(tombstone)
    assert await late.record(sealed.key_id) == tombstone and await late.news([tombstone]) == []
    assert await late.open(sealed) == Erased()


async def test_news_are_what_is_not_here_as_it_is(ring: KeyRing, elsewhere: KeyRing, community: UUID):
    sealed = await sealed_by(ring, community)
    record = await sent(ring, sealed.key_id)
    assert await elsewhere.news([record]) == [record], "a key of another"
    await elsewhere.store(record)
    assert await elsewhere.news([record]) == []
    assert await ring.news([record]) == [], "one's own comes from nowhere else"
    await ring.erase(sealed.key_id)
    gone = await sent(ring, sealed.key_id)
    assert await elsewhere.news([gone, record]) == [gone] and await ring.news([gone]) == []


async def test_erasing_twice_says_nothing_new(pool: asyncpg.Pool, ring: KeyRing, community: UUID):
    sealed = await sealed_by(ring, community)
    await ring.erase(sealed.key_id)
    erased_at = await pool.fetchval("select erased_at from keys where key_id = $1", sealed.key_id)
    await ring.erase(sealed.key_id)
    assert await pool.fetchval("select erased_at from keys where key_id = $1", sealed.key_id) == erased_at


async def test_whoever_comes_back_gets_another_key(ring: KeyRing, community: UUID):
    before = await sealed_by(ring, community)
    await ring.erase(before.key_id)
    after = await sealed_by(ring, community)
    assert await ring.open_all([before, after]) == [Erased(), PHONE]


# rotation


async def test_rotation_rewraps_what_is_alive_and_opens_as_before(pool: asyncpg.Pool, ring: KeyRing, community: UUID):
    purpose = f"contact-{community}"
    old, both = Keks({purpose: {"2025": OLD}}), Keks({purpose: {"2025": OLD, "2026": NEW}})
    before = KeyRing(pool, "identity", old)
    keys = [await before.key_for(community, f"resident:{n}", purpose) for n in range(4)]
    boxes = [seal(key.dek, key.key_id, uuid4(), "phone", PHONE) for key in keys]
    for key in keys:
        await before.announced(key.key_id)
    await before.erase(keys[0].key_id)

    rotating = KeyRing(pool, "identity", both)
    first = (await anext(rewrap(pool, "identity", both, purpose))).key_id  # and there it crashed
    left_out_too = [key.key_id async for key in rewrap(pool, "identity", both, purpose)]
    assert first in left_out_too
    assert set(left_out_too) == {key.key_id for key in keys[1:]}
    for key_id in left_out_too:
        await rotating.announced(key_id)
    assert [key async for key in rewrap(pool, "identity", both, purpose)] == []

    new_only = KeyRing(pool, "identity", Keks({purpose: {"2026": NEW}}))
    assert await new_only.open_all(boxes) == [Erased(), PHONE, PHONE, PHONE]
    assert await KeyRing(pool, "identity", old).open_all(boxes) == [Erased(), Pending(), Pending(), Pending()]


async def test_rotation_leaves_the_keys_of_others_alone(pool_of: PoolOf, community: UUID):
    purpose = f"contact-{community}"
    old, both = Keks({purpose: {"2025": OLD}}), Keks({purpose: {"2025": OLD, "2026": NEW}})
    owner = KeyRing(await pool_of("identity"), "identity", old)
    elsewhere = await pool_of("access")
    listener = KeyRing(elsewhere, "access", both)
    key = await owner.key_for(community, "resident:1", purpose)
    await listener.store(await sent(owner, key.key_id))
    assert [key async for key in rewrap(elsewhere, "access", both, purpose)] == []


async def test_new_keys_are_wrapped_by_the_current_kek(pool: asyncpg.Pool, community: UUID):
    rotated = KeyRing(pool, "identity", ROTATED)
    key = await rotated.key_for(community, "resident:1", "contact")
    record = await rotated.record(key.key_id)
    assert record is not None and record.kek_id == "2026"
    assert open_box(key.dek, await sealed_by(rotated, community)) == PHONE


async def test_an_operator_rewraps_and_the_relay_tells(app_of: Callable[..., Awaitable[App]], community: UUID):
    """As after a line was added to the secret: each key is announced anew by an event of its own."""
    app = await app_of(service())
    pool, secret = await app.database.pool(), app.settings.secrets / "kek-contact"
    before = secret.read_text()
    try:
        ring = KeyRing(pool, "toy", Keks.load(app.settings.secrets))
        key = await ring.key_for(community, "resident:1", "contact")
        box = seal(key.dek, key.key_id, uuid4(), "phone", PHONE)
        await ring.announced(key.key_id)
        secret.write_text(before + "\n" + base64.urlsafe_b64encode(os.urandom(32)).decode())
        for count in (1, 0):
            done = await operate(App(app.service, app.settings), "rewrap", ["contact"])
            assert done == {"service": "toy", "purpose": "contact", "rewrapped": count}
        assert [(r.type, r.subject, r.community_id) for r in await app.log.read(0)] == [("key_created", f"key:{key.key_id}", community)]
        assert await KeyRing(pool, "toy", Keks.load(app.settings.secrets)).open_all([box]) == [PHONE]
        assert await ring.open_all([box]) == [Pending()], "who has not the new key-encryption key cannot open it"
        with pytest.raises(SystemExit, match="no secret kek-nonsense"):
            await operate(App(app.service, app.settings), "rewrap", ["nonsense"])
    finally:
        secret.write_text(before)
