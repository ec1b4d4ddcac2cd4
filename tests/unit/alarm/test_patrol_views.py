"""What screens show of patrols, and what others are told."""

from typing import Any
from uuid import UUID

from msgspec.structs import replace

from libs.contracts import alarm as public
from services.alarm.domain.patrol_points import PatrolPointPlaced
from services.alarm.domain.patrol_rounds import PatrolStopMissed, PatrolStopVisited
from services.alarm.domain.patrol_routes import PatrolRoundBegun, PatrolRouteSet
from services.alarm.domain.patrol_scans import PatrolPointScanned
from services.alarm.main import SERVICE
from services.alarm.publishing import publish
from services.alarm.views import patrol_rounds, patrols
from tests.kit import folded, recorded
from tests.unit.alarm.samples import ANN, HERE, NOW, after
from tests.unit.alarm.test_patrol_rounds import GATE, OPENED, ROOF, ROUND, ROUTE, judged, visit
from tests.unit.alarm.test_patrol_routes import SET
from tests.unit.alarm.test_patrol_scans import PLACED

CATALOGUE = SERVICE.catalogue()
SCANNED = PatrolPointScanned(visit(0).scan_id, GATE, ANN, "qr", NOW, 12, True)
VISITED = PatrolStopVisited(ROUND, 0, visit(0), "on_time")
REST = (PatrolStopMissed(ROUND, 1), PatrolStopMissed(ROUND, 2), judged(0, 1, 0, 2))


def table(view: Any, *events: Any) -> list[dict[str, Any]]:
    """Folded twice: as it should be after the same rows have come again from the beginning."""
    log = [recorded(event, HERE, position=n, stream="x:1", version=n, at=after(n)) for n, event in enumerate(events, 1)]
    found = folded(view, CATALOGUE, log).get(HERE, [])
    assert folded(view, CATALOGUE, log).get(HERE, []) == found
    return found


def test_a_point_is_shown_as_it_was_last_placed_and_without_its_tag():
    (row,) = table(patrols.POINTS_VIEW, PLACED, replace(PLACED, name="North", spot=None, in_use=False))
    assert (row["name"], row["spot"], row["in_use"], row["version"]) == ("North", None, False, 2) and "tag" not in row
    assert isinstance(PLACED, PatrolPointPlaced)


def test_a_route_has_the_version_of_its_edition_whatever_rounds_begin():
    begun = PatrolRoundBegun(OPENED.round)
    (row,) = table(patrols.ROUTES_VIEW, SET, begun, begun, replace(SET, in_use=False, edition=2), begun)
    assert (row["in_use"], row["edition"], row["course"]["name"]) == (False, 2, "night")
    assert isinstance(SET, PatrolRouteSet)


def test_a_round_shows_each_stop_as_it_was_met():
    (row,) = table(patrol_rounds.ROUNDS_VIEW, OPENED)
    assert (row["state"], row["times"], row["missed"], [s["met"] for s in row["stops"]]) == ("under_way", 0, 0, [None] * 3)
    assert [(s["point_id"], s["due"]) for s in row["stops"]] == [
        (str(GATE), "2026-03-01T08:00:00Z"), (str(ROOF), "2026-03-01T08:10:00Z"), (str(GATE), "2026-03-01T08:20:00Z")]
    (row,) = table(patrol_rounds.ROUNDS_VIEW, OPENED, VISITED, *REST)
    assert [(s["met"], s["at"], s["by"]) for s in row["stops"]] == [
        ("on_time", "2026-03-01T08:00:00Z", str(ANN)), ("missed", None, None), ("missed", None, None)]
    assert (row["state"], row["on_time"], row["missed"], row["times"], row["position"]) == ("judged", 1, 2, 1, 1)
    assert row["judged_at"] == after(5).isoformat().replace("+00:00", "Z")


def test_a_round_that_is_judged_again_shows_how_it_is_now():
    late = PatrolStopVisited(ROUND, 1, visit(601, 2), "late")
    (row,) = table(patrol_rounds.ROUNDS_VIEW, OPENED, VISITED, *REST, late, judged(0, 1, 1, 1, times=2))
    assert [s["met"] for s in row["stops"]] == ["on_time", "late", "missed"]
    assert (row["on_time"], row["late"], row["missed"], row["times"]) == (1, 1, 1, 2)


def test_what_is_of_no_round_that_is_there_makes_none():
    assert table(patrol_rounds.ROUNDS_VIEW, VISITED, *REST) == [] == table(patrol_rounds.SCANS_VIEW, VISITED)


def test_a_scan_shows_in_which_rounds_it_counted():
    (row,) = table(patrol_rounds.SCANS_VIEW, SCANNED, VISITED, replace(VISITED, round_id=UUID(int=9)))
    assert row["rounds"] == [str(ROUND), str(UUID(int=9))] and (row["distance"], row["there"], row["means"]) == (12, True, "qr")


def test_others_are_told_how_a_round_was_judged_and_nothing_of_who_was_where():
    row = recorded(OPENED, HERE, position=1, stream=f"patrol_round:{ROUND}", version=1)
    ((said),) = publish(judged(1, 1, 0, 1, times=2), row)
    assert said.subject == f"patrol:{ROUND}"
    assert said.body == public.PatrolJudged(ROUND, ROUTE, "night", NOW, {"early": 1, "on_time": 1, "late": 0, "missed": 1}, 2)
    for own in (PLACED, SET, SCANNED, OPENED, VISITED, REST[0], PatrolRoundBegun(OPENED.round)):
        assert publish(own, row) == ()
