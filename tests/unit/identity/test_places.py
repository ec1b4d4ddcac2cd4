"""Communities, buildings and homes."""

from typing import Any
from uuid import UUID

import pytest

from libs.eventkit.decider import Decider, Refused, Take
from services.identity.domain import buildings, homes
from services.identity.domain.buildings import BUILDINGS, BuildingRegistered, RegisterBuilding
from services.identity.domain.communities import COMMUNITIES, CommunityFounded, FoundCommunity
from services.identity.domain.homes import HOMES, HomeRegistered, RegisterHome

HERE, BUILDING, HOME = UUID(int=1), UUID(int=2), UUID(int=3)
FOUND = FoundCommunity(HERE, "安居里", "310104", "Asia/Shanghai")
FOUNDED = CommunityFounded(HERE, "安居里", "310104", "Asia/Shanghai")
BUILD, BUILT = RegisterBuilding(BUILDING, "1号楼", 2), BuildingRegistered(BUILDING, "1号楼", 2)
ADD, ADDED = RegisterHome(HOME, BUILDING, 2, 2, "1-2-301"), HomeRegistered(HOME, BUILDING, 2, "1-2-301")


def when(decider: Decider[Any, Any], command: Any, *events: Any) -> list[Any]:
    return decider.decide[type(command)](command, decider.fold(events))


def test_a_community_is_founded():
    assert when(COMMUNITIES, FOUND) == [FOUNDED]


def test_founding_the_same_community_again_says_nothing_new():
    assert when(COMMUNITIES, FOUND, FOUNDED) == []


def test_a_community_is_not_founded_as_something_else():
    with pytest.raises(Refused, match="community_already_founded"):
        when(COMMUNITIES, FoundCommunity(HERE, "和平里", "310104", "Asia/Shanghai"), FOUNDED)


@pytest.mark.parametrize("code", ["", "31010", "3101045", "31010A"])
def test_a_division_code_has_six_digits(code: str):
    with pytest.raises(Refused, match="division_code_malformed"):
        when(COMMUNITIES, FoundCommunity(HERE, "安居里", code, "Asia/Shanghai"))


def test_a_building_is_registered():
    assert when(BUILDINGS, BUILD) == [BUILT]


def test_registering_the_same_building_again_says_nothing_new():
    assert when(BUILDINGS, BUILD, BUILT) == []


def test_a_building_does_not_become_another_one():
    with pytest.raises(Refused, match="building_already_registered"):
        when(BUILDINGS, RegisterBuilding(BUILDING, "1号楼", 3), BUILT)


def test_a_building_has_a_unit():
    with pytest.raises(Refused, match="building_without_units"):
        when(BUILDINGS, RegisterBuilding(BUILDING, "1号楼", 0))


def test_a_building_takes_its_name():
    assert list(buildings.claims(BUILD, BUILT)) == [Take("building-name", "1号楼", "building_name_taken")]


def test_a_home_is_registered():
    assert when(HOMES, ADD) == [ADDED]


def test_registering_the_same_home_again_says_nothing_new():
    assert when(HOMES, ADD, ADDED) == []


def test_a_home_does_not_become_another_one():
    with pytest.raises(Refused, match="home_already_registered"):
        when(HOMES, RegisterHome(HOME, BUILDING, 2, 1, "1-1-301"), ADDED)


@pytest.mark.parametrize("unit", [0, 3])
def test_a_home_stands_in_a_unit_of_its_building(unit: int):
    with pytest.raises(Refused, match="no_such_unit"):
        when(HOMES, RegisterHome(HOME, BUILDING, 2, unit, "1-3-301"))


def test_a_home_takes_its_label_within_its_unit():
    assert list(homes.claims(ADD, ADDED)) == [Take("home-label", f"{BUILDING}:2:1-2-301", "home_label_taken")]


@pytest.mark.parametrize("typed", ["１－２－３０１", "1—2—301", " 1 - 2 - 301", "1-2-301", "1−2−３０１"])
def test_a_home_is_one_however_its_label_is_typed(typed: str):
    taken = [take.value for take in homes.claims(ADD, HomeRegistered(HOME, BUILDING, 2, typed)) if isinstance(take, Take)]
    assert taken == list(dict.fromkeys([f"{BUILDING}:2:{typed}", f"{BUILDING}:2:1-2-301"]))


def test_a_building_is_one_in_either_case_and_width():
    for typed in ("a座", "Ａ座", "A 座"):
        taken = [take.value for take in buildings.claims(BUILD, BuildingRegistered(BUILDING, typed, 2)) if isinstance(take, Take)]
        assert taken == [typed, "A座"]
