"""The demonstration: panel n serves building n, every zone once, every place whole."""

from uuid import UUID, uuid4

import pytest

from services.alarm.demo import Home, Panel, Resident, Seed, cared_for, installed, night_route, panel_id_of, placed
from services.alarm.domain.care import CARE
from services.alarm.domain.patrol_routes import ROUTES, SetPatrolRoute, due
from tests.unit.alarm.samples import NOW

HERE, BUILDINGS, DEVICES = uuid4(), [uuid4() for _ in range(3)], [uuid4() for _ in range(3)]
HOMES = [Home(id=uuid4(), label=label) for label in ("1-2-303", "1-1-1201", "2-1-101")]


RESIDENTS = [Resident(id=uuid4(), home_id=home.id) for home in HOMES]


def seed(panels: int) -> Seed:
    return Seed(
        community_id=HERE, buildings=BUILDINGS, panels=[Panel(device_id=d, name=f"panel {n}") for n, d in enumerate(DEVICES[:panels])],
        homes=HOMES, residents=RESIDENTS)


@pytest.mark.parametrize("panels", [1, 2, 3])
def test_every_building_is_watched_by_its_panel_and_no_zone_twice(panels: int):
    found = installed(seed(panels))
    assert len({(s.panel_id, s.partition, s.zone) for s in found}) == len(found) == len({s.sensor_id for s in found})
    for n, building in enumerate(BUILDINGS):
        here = [s for s in found if s.place.building_id == building]
        assert {s.panel_id for s in here} == {panel_id_of(DEVICES[n % panels])} and {s.partition for s in here} == {1 + n // panels}
        smoke = {s.zone: s.place for s in here if s.kind == "smoke"}
        assert {zone: (place.unit, place.floor) for zone, place in smoke.items()} == {floor: (1, floor) for floor in range(1, 6)}
        assert {"gas", "call_point", "water"} <= {s.kind for s in here} and all(s.place.name for s in here)


def test_homes_have_their_button_where_they_are():
    buttons = {s.place.home_id: s for s in installed(seed(3)) if s.kind == "sos"}
    places = {home.label: buttons[home.id].place for home in HOMES}
    assert {(label, place.unit, place.floor, place.building_id) for label, place in places.items()} == {
        ("1-2-303", 2, 3, BUILDINGS[0]), ("1-1-1201", 1, 12, BUILDINGS[0]), ("2-1-101", 1, 1, BUILDINGS[1])}


def test_without_panels_there_is_nothing_to_watch():
    assert installed(seed(0)) == []


def test_the_same_seed_makes_the_same_sensors():
    assert installed(seed(2)) == installed(seed(2)) and all(isinstance(s.sensor_id, UUID) for s in installed(seed(2)))


def test_the_night_is_patrolled_by_points_with_a_tag_each():
    points = placed(seed(3), lambda tag: f"keyed {tag}")
    assert len(points) == 8 and len({tag for tag, _ in points}) == 8 == len({p.point_id for _, p in points})
    assert all(p.tag == f"keyed {tag}" and p.name and p.in_use for tag, p in points)
    route = night_route(seed(3), [p for _, p in points], NOW)
    assert [s.point_id for s in route.course.stops] == [*(p.point_id for _, p in points), points[0][1].point_id]
    set_ = ROUTES.decide[SetPatrolRoute](SetPatrolRoute(route, 0), ROUTES.initial)
    assert set_ == [route] and (due(ROUTES.fold(set_)) - NOW).total_seconds() == (5 * 60 + 45) * 60, "22:00 in Shanghai less 15 minutes"


def test_one_home_is_cared_for_and_somebody_who_lives_elsewhere_helps():
    (home_id, arrange), (_, agrees) = cared_for(seed(2), NOW)
    assert (home_id, arrange.residents, agrees.helper_id) == (HOMES[-1].id, (RESIDENTS[-1].id,), RESIDENTS[0].id)
    state = CARE.fold([*CARE.decide[type(arrange)](arrange, CARE.initial)])
    state = CARE.evolve(state, *CARE.decide[type(agrees)](agrees, state))
    assert state.helpers == (RESIDENTS[0].id,)
    alone = seed(2)
    for residents in ([], RESIDENTS[:1], [RESIDENTS[0], Resident(id=uuid4(), home_id=HOMES[0].id)]):
        alone.residents = residents
        assert cared_for(alone, NOW) == []
