"""The plan of the demo community holds together."""

from collections import Counter

from services.identity.demo_community import demo_id, plan
from services.identity.phone_numbers import e164
from services.identity.plates import plate_of
from services.parking.domain.plates import read_plate


def test_the_demo_community_has_the_agreed_size():
    demo = plan()
    assert (len(demo.buildings), len(demo.homes), len(demo.residents)) == (3, 60, 150)
    assert demo.community_id == demo_id("community")
    assert demo.residents[0].resident_id == demo_id("resident-1")
    assert demo.homes[8].label == "1-1-501"


def test_nothing_stands_for_two_things():
    demo = plan()
    ids = [
        demo.community_id, *(b.building_id for b in demo.buildings), *(h.home_id for h in demo.homes),
        *(i for r in demo.residents for i in (r.resident_id, r.residence_id, r.account_id)),
        *(v.vehicle_id for v in demo.vehicles),
        *(i for d in demo.duties for i in (d.person_id, d.account_id))]
    assert len(set(ids)) == len(ids)
    phones = [p.phone for p in (*demo.residents, *demo.duties)]
    assert len(set(phones)) == len(phones)
    assert len({h.label for h in demo.homes}) == len(demo.homes)
    assert {h.building_id for h in demo.homes} == {b.building_id for b in demo.buildings}


def test_every_home_has_somebody_at_its_head():
    demo = plan()
    heads = {r.home.home_id for r in demo.residents if r.role in ("owner", "tenant")}
    assert heads == {h.home_id for h in demo.homes}


def test_every_kind_of_population_is_there():
    kinds = Counter(r.population for r in plan().residents)
    assert kinds["foreign"] == 1 and kinds["registered"] > 2 * kinds["floating"] > 60
    assert sum(kinds.values()) == 150


def test_made_up_phones_are_in_the_form_that_phones_have():
    for person in (*plan().residents, *plan("elsewhere").duties):
        assert e164(person.phone) == person.phone


def test_the_first_residents_have_vehicles_with_plates_that_parking_knows():
    demo = plan()
    assert [v.keeper for v in demo.vehicles] == list(demo.residents[:3])
    assert [read_plate(v.plate, "form").value for v in demo.vehicles] == [plate_of(v.plate) for v in demo.vehicles]
    assert [read_plate(v.plate, "form").kind for v in demo.vehicles] == ["ordinary", "new_energy_small", "ordinary"]


def test_a_further_community_shares_nothing_with_the_first():
    small = plan("elsewhere", homes=2, residents=3)
    assert (len(small.homes), len(small.residents)) == (2, 3)
    assert small.community_id != plan().community_id
    assert {p.phone for p in small.residents}.isdisjoint(p.phone for p in plan().residents)
