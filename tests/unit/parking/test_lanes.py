from msgspec.structs import asdict, replace

from libs.eventkit.decider import Release, Take
from services.parking.domain.lanes import LANES, InstallLane
from tests.unit.parking.samples import CAMERA, INSTALLED, LOT, deciding

when = deciding(LANES)
INSTALL = InstallLane(**asdict(INSTALLED))


def test_a_lane_is_installed_and_said_again_when_something_of_it_changes() -> None:
    assert when(INSTALL) == [INSTALLED]
    for change in ({"device_id": LOT}, {"lane_no": 2}, {"direction": "out"}, {"zone": "below"}, {"name": "West"}):
        assert when(replace(INSTALL, **change), INSTALLED) == [replace(INSTALLED, **change)]


def test_a_lane_that_is_as_asked_says_nothing() -> None:
    assert when(INSTALL, INSTALLED) == []


def test_one_lane_of_a_camera_is_one_lane_of_ours_and_the_one_it_had_before_is_free_again() -> None:
    assert list(LANES.claims(INSTALL, replace(INSTALLED, lane_no=2))) == [
        Release("camera_lane"), Take("camera_lane", f"{CAMERA}:2", "camera_lane_taken")]
