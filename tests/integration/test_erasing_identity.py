"""Identity erases a resident: what hangs on them goes, once, and others may have what was theirs; ids and residences stay."""

from datetime import date
from uuid import UUID, uuid4

import pytest
from msgspec import convert, to_builtins

from cli.tombstones import say_what_is_missing
from libs.eventkit.decider import NotYet, Refused
from libs.eventkit.privacy import Erased, seal
from libs.eventkit.sealed import Sealed
from libs.eventkit.views import follow_views
from services.identity import contacts, lookups, plates
from services.identity.api.consents import with_names
from services.identity.domain.accounts import PHONE, CloseAccount, OpenAccount
from services.identity.domain.communities import FoundCommunity
from services.identity.domain.id_numbers import ID_NUMBER, RecordIdNumber, WithdrawIdNumber
from services.identity.domain.population import DeclarePopulation
from services.identity.domain.residences import SCOPE as RESIDENCE
from services.identity.domain.residences import StartResidence
from services.identity.domain.residents import EraseResident
from services.identity.domain.vehicles import PLATE, ConfirmKeeper, RemoveVehicle
from services.identity.erasures import tombstones
from services.identity.main import SERVICE
from services.identity.national.telephones import read_telephone
from services.identity.phone_numbers import account_index
from services.identity.views import residents
from tests.integration.erasing import Desk
from tests.kit import caught_up

HOME, BUILDING = uuid4(), uuid4()
PHONE_NUMBER, NUMBER, OTHERS, CAR = "13812345678", "11010519491231002X", "440524188001010014", "沪A00001"


class Registry(Desk):
    async def resident(self, name: str, phone: str = PHONE_NUMBER) -> UUID:
        found = uuid4()
        await contacts.register(self.app, found, name, read_telephone(phone), self.asked)
        residence = uuid4()
        start = StartResidence(residence, found, HOME, BUILDING, 1, "owner", date(2024, 9, 1), date(2024, 9, 1))
        await self.app.commands.handle(residence, start, self.asked)
        return found

    async def account(self, person: UUID, phone: str = PHONE_NUMBER) -> UUID:
        found = uuid4()
        index = account_index(self.app.blind, self.community, f"+86{phone}")
        await self.app.commands.handle(found, OpenAccount(found, person, "resident", index), self.asked)
        return found

    async def car(self, keeper: UUID, plate: str = CAR) -> UUID:
        found = uuid4()
        await plates.register(self.app, found, HOME, keeper, plate, "small", self.asked)
        return found

    async def wishes(self, person: UUID) -> None:
        await self.app.commands.handle(person, EraseResident(person, person, "own_wish"), self.asked)
        await self.reacts()


@pytest.fixture
async def registry(app_of, community: UUID) -> Registry:
    found = Registry(await app_of(SERVICE), community)
    await found.app.commands.handle(community, FoundCommunity(community, "里坊", "310104", "Asia/Shanghai"), found.asked)
    return found


async def test_all_that_hangs_on_a_resident_goes_and_ids_stay(registry: Registry):
    ann, ben = await registry.resident("安"), await registry.resident("本", "13912345678")
    await contacts.record_id_number(registry.app, ann, NUMBER, (), registry.asked, None)
    await registry.app.commands.handle(ann, DeclarePopulation(ann, "staff", "floating", ben), registry.asked)
    account, hers, his = await registry.account(ann), await registry.car(ann), await registry.car(ben, "沪A00002")
    sold = await registry.car(ann, "沪A00003")
    await registry.app.commands.handle(sold, RemoveVehicle(sold), registry.asked)
    known = await lookups.resident(registry.app, ann, registry.community)
    await registry.wishes(ann)

    assert await registry.app.keyring.open(known.name) == Erased()
    assert await registry.alive() == {f"resident:{ben}", f"vehicle:{his}"}, "also the key of the one that she had sold"
    assert await registry.claims(PHONE, ID_NUMBER, PLATE, "account-person") == {f"vehicle:{his}"}
    assert len(await registry.claims(RESIDENCE)) == 2, "she lives there still"
    assert [e["vehicle_id"] for e in await registry.said("vehicle_removed")] == [str(sold), str(hers)]
    assert [e["account_id"] for e in await registry.said("account_closed")] == [str(account)]
    assert len(await registry.said("population_settled")) == 1, "counts stay"
    assert await registry.confirmed() == [4], "contact, ID number and two plates"


async def test_another_may_have_what_was_theirs(registry: Registry):
    ann, ben = await registry.resident("安"), await registry.resident("本", "13912345678")
    await contacts.record_id_number(registry.app, ann, NUMBER, (), registry.asked, None)
    await registry.account(ann)
    await registry.car(ann)
    await registry.wishes(ann)
    await contacts.record_id_number(registry.app, ben, NUMBER, (), registry.asked, None)
    await registry.account(ben)
    vehicle = await lookups.vehicle(registry.app, await registry.car(ben), registry.community)
    assert vehicle.findings == ()


async def test_nothing_personal_comes_to_them_any_more_and_no_key_is_made(registry: Registry):
    ann = await registry.resident("安")
    await registry.wishes(ann)
    for attempt in (lookups.resident(registry.app, ann, registry.community), registry.car(ann)):
        with pytest.raises(Refused) as refused:
            await attempt
        assert refused.value.code == "resident_erased"
    assert await registry.alive() == set()
    await registry.wishes(ann)
    assert len(await registry.said("resident_erased")) == 1 and await registry.confirmed() == [1]


async def test_what_was_decided_in_the_same_moment_goes_as_it_comes(registry: Registry):
    """A car declared and an account opened by processes that had not seen the erasure."""
    ann, ben = await registry.resident("安"), await registry.resident("本", "13912345678")
    car = await registry.car(ben)
    await registry.wishes(ann)
    await registry.app.commands.handle(car, ConfirmKeeper(car, ann, lives_there=True), registry.asked)
    account = await registry.account(ann)
    await registry.reacts()
    assert await registry.alive() == {f"resident:{ben}"} and await registry.claims(PHONE, PLATE) == set()
    assert await registry.confirmed() == [1, 2]
    done = await registry.app.commands.handle(account, CloseAccount(account), registry.asked)
    assert done.outcome.events == (), "it is closed"


async def test_set_back_to_before_the_erasure_the_tombstone_leads_to_it_again(registry: Registry):
    ann, ben = await registry.resident("安"), await registry.resident("本", "13912345678")
    await registry.account(ann)
    await registry.tombstones([f"resident:{ann}"])
    assert [await say_what_is_missing(registry.app) for _ in range(2)] == [1, 0]
    await registry.reacts()
    assert [(e["resident_id"], e["reason"]) for e in await registry.said("resident_erased")] == [(str(ann), "restored")]
    assert len(await registry.said("key_erased")) == 1 and await registry.confirmed() == [1]
    assert await registry.alive() == {f"resident:{ben}"} and await registry.claims(PHONE) == set()


async def test_set_back_to_before_the_erasure_who_was_erased_is_shown_as_erased_again(registry: Registry):
    app, pool = registry.app, await registry.app.database.pool()
    ann, ben = await registry.resident("安"), await registry.resident("本", "13912345678")
    app.supervisor.start("views", lambda: follow_views(app.log, app.wake, app.catalogue, (residents.VIEW,)))
    await caught_up(pool, "residents")
    await registry.tombstones([f"resident:{ann}"])
    await say_what_is_missing(app)
    await registry.reacts()
    await caught_up(pool, "residents")
    shown = {row["id"]: row for row in await app.database.fetch([registry.community], residents.page_of(None, None, 10))}
    names = {i: contacts.text_of(await app.keyring.open(convert(row["name"], Sealed))) for i, row in shown.items()}
    assert names == {ann: Erased(), ben: "本"}
    assert {i: row["version"] for i, row in shown.items()} == {ann: 3, ben: 2}, "key, registration, and her erasure"


async def test_lists_have_no_name_of_who_was_erased_and_say_so_beside_it(registry: Registry):
    app, ann, ben = registry.app, await registry.resident("安"), await registry.resident("本", "13912345678")
    hers = (await lookups.vehicle(app, await registry.car(ann), registry.community)).plate
    app.supervisor.start("views", lambda: follow_views(app.log, app.wake, app.catalogue, (residents.VIEW,)))
    await registry.wishes(ann)
    await caught_up(await app.database.pool(), "residents")
    rows = await app.database.fetch([registry.community], residents.page_of(None, None, 10))
    shown = await contacts.masked_contacts(app, rows)
    assert {row["id"]: tuple(row[n] for slot in contacts.SLOTS for n in (slot, f"{slot}_state")) for row in shown} == {
        ann: (None, "erased", None, "erased", None, "none"), ben: ("本*", "known", "139****5678", "known", None, "none")}
    assert await with_names(app, [{"name": row["name"]} for row in rows if row["id"] == ann]) == [{"name": None, "name_state": "erased"}]
    assert await plates.masked_plates(app, [{"plate": to_builtins(hers)}]) == [{"plate": None, "plate_state": "erased"}]


async def test_ended_between_the_erasure_and_the_word_of_its_key_it_is_all_said_once(registry: Registry):
    ann = await registry.resident("安")
    await tombstones(registry.app, await registry.tombstones([f"resident:{ann}"]))
    assert len(await registry.said("resident_erased")) == 1 and await registry.said("key_erased") == []
    assert await say_what_is_missing(registry.app) == 1
    await registry.reacts()
    assert len(await registry.said("resident_erased")) == len(await registry.said("key_erased")) == 1
    assert await registry.confirmed() == [1]


async def test_a_tombstone_of_somebody_of_whom_nothing_is_known_any_more_harms_nobody(registry: Registry):
    unknown = uuid4()
    key = await registry.app.keyring.key_for(registry.community, f"resident:{unknown}", "contact")
    await registry.tombstones([f"resident:{unknown}"])
    assert await say_what_is_missing(registry.app) == 1
    assert await registry.said("resident_erased") == []
    assert await registry.said("key_erased") == [{"type": "key_erased", "key_id": str(key.key_id)}]


async def test_a_number_that_was_withdrawn_rests_nowhere_and_the_right_one_has_a_key_of_its_own(registry: Registry):
    app, ann, ben = registry.app, await registry.resident("安"), await registry.resident("本", "13912345678")
    await contacts.record_id_number(app, ann, NUMBER, (), registry.asked, None)
    wrong = await lookups.id_number(app, ann, registry.community)
    await app.commands.handle(ann, WithdrawIdNumber(ann, ben), registry.asked)
    await registry.reacts()
    assert wrong is not None and await app.keyring.open(wrong) == Erased()
    await contacts.record_id_number(app, ben, NUMBER, (), registry.asked, None)
    await contacts.record_id_number(app, ann, OTHERS, (), registry.asked, None)
    await registry.reacts()
    found = [await lookups.id_number(app, who, registry.community) for who in (ann, ben)]
    assert [await app.keyring.open(box) for box in found if box is not None] == [OTHERS.encode(), NUMBER.encode()]
    assert await registry.said("key_erased") == [{"type": "key_erased", "key_id": str(wrong.key_id)}]
    assert await app.keyring.open((await lookups.resident(app, ann, registry.community)).name) == "安".encode()


async def test_who_records_the_right_number_at_once_waits_for_nobody_to_destroy_the_wrong_one(registry: Registry):
    """The reaction comes after the next number: it finds that the key is gone."""
    app, ann = registry.app, await registry.resident("安")
    await contacts.record_id_number(app, ann, NUMBER, (), registry.asked, None)
    wrong = await lookups.id_number(app, ann, registry.community)
    await app.commands.handle(ann, WithdrawIdNumber(ann, ann), registry.asked)
    await contacts.record_id_number(app, ann, OTHERS, (), registry.asked, None)
    await registry.reacts()
    right = await lookups.id_number(app, ann, registry.community)
    assert wrong is not None and right is not None
    assert [await app.keyring.open(wrong), await app.keyring.open(right)] == [Erased(), OTHERS.encode()]
    assert len(await registry.said("key_erased")) == 1


async def test_a_number_that_was_sealed_before_the_withdrawal_is_not_stored_after_it(registry: Registry):
    app, ann = registry.app, await registry.resident("安")
    await contacts.record_id_number(app, ann, NUMBER, (), registry.asked, None)
    key = await app.keyring.key_for(registry.community, f"resident:{ann}", ID_NUMBER)
    late = RecordIdNumber(ann, seal(key.dek, key.key_id, uuid4(), ID_NUMBER, OTHERS), "another")
    await app.commands.handle(ann, WithdrawIdNumber(ann, ann), registry.asked)
    with pytest.raises(NotYet):
        await app.commands.handle(ann, late, registry.asked)
    await contacts.record_id_number(app, ann, OTHERS, (), registry.asked, None)
    with pytest.raises(NotYet):
        await app.commands.handle(ann, late, registry.asked)


async def test_set_back_to_before_the_withdrawal_the_number_is_gone_and_nobody_is_erased(registry: Registry):
    app, ann = registry.app, await registry.resident("安")
    await contacts.record_id_number(app, ann, NUMBER, (), registry.asked, None)
    found = await lookups.id_number(app, ann, registry.community)
    assert found is not None
    records = await registry.tombstones([f"resident:{ann}"], ID_NUMBER)
    assert [record.key_id for record in records] == [found.key_id]
    assert await say_what_is_missing(app) == 1
    await registry.reacts()
    assert await registry.said("resident_erased") == [] and await app.keyring.open(found) == Erased()
    assert await app.keyring.open((await lookups.resident(app, ann, registry.community)).name) == "安".encode()


async def test_tombstones_of_which_the_log_knows_say_nothing(registry: Registry):
    ann = await registry.resident("安")
    await registry.wishes(ann)
    before = len(await registry.rows())
    await registry.tombstones([f"resident:{ann}"])
    assert await say_what_is_missing(registry.app) == 0
    assert len(await registry.rows()) == before
