"""What people read about looks and erasures, and how somebody who was erased is shown: from rows as the log has them."""

from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct

from libs.contracts import access, alarm, devices, identity, neighbors, parking
from libs.contracts.fields import SealedField
from libs.eventkit.recorded import Catalogue
from services.gateway.api.people import erasure
from services.gateway.api.unsealing import name_of
from services.gateway.sentences import LANGUAGES, sentence
from services.gateway.views import erasures, looks, my_home
from services.gateway.words.names import ERASED
from tests.kit import folded, recorded
from tests.unit.gateway.heard import ANN, BEN, COMMUNITY, GATE, NOON, fold, heard

NAME = SealedField(UUID(int=1), UUID(int=2), "name", "AAAA")
GONE = identity.ResidentErased(ANN, ANN, "own_wish")


class OwnWord(Struct, frozen=True, tag="erasure_confirmed"):
    """What the gateway says in its own log."""

    person_id: UUID
    keys: int


def log(*events: Any) -> list[Any]:
    return [heard(event, n) for n, event in enumerate(events, 1)]


def test_a_look_is_kept_with_who_when_for_what_and_what_of_it() -> None:
    (row,) = fold(looks.LOOKS, log(identity.ResidentLookedAt(ANN, BEN, "police", "burglary", ("name", "id_number"))))
    assert (row["resident_id"], row["by_id"], row["role"], row["purpose"], row["what"]) == (
        str(ANN), str(BEN), "police", "burglary", ["name", "id_number"])


def test_a_page_of_looks_is_of_one_person_alone() -> None:
    asked = str(looks.at_resident(COMMUNITY, ANN, 7, 5).compile(compile_kwargs={"literal_binds": True}))
    assert f"resident_id = '{ANN.hex}'" in asked and "position < 7" in asked


CONFIRMED = (
    identity.IdentityErasureConfirmed(ANN, 3), access.AccessErasureConfirmed(ANN, 1), parking.ParkingErasureConfirmed(ANN, 0),
    neighbors.NeighborsErasureConfirmed(ANN, 1), alarm.AlarmErasureConfirmed(ANN, 0), devices.DevicesErasureConfirmed(ANN, 2))


def shown(*said: Any) -> dict[str, Any]:
    (row,) = fold(erasures.ERASURES, log(*said))
    return erasure({**row, "by_id": row["by_id"], "resident_id": row["resident_id"]})


def test_an_erasure_says_who_has_confirmed_and_who_has_not() -> None:
    found = shown(GONE, *CONFIRMED[1:3])
    assert [(each["service"], each["keys"]) for each in found["confirmed"]] == [("access", 1), ("parking", 0)]
    assert found["waiting"] == ["identity", "neighbors", "alarm", "devices", "gateway"] and not found["complete"]
    assert (found["name"], found["name_state"], found["reason"], found["by_themselves"]) == (None, "erased", "own_wish", True)


def test_the_gateway_confirms_in_its_own_log() -> None:
    rows = [recorded(event, COMMUNITY, position=n, source="x", at=NOON) for n, event in enumerate((GONE, *CONFIRMED), 1)]
    own = recorded(OwnWord(ANN, 0), COMMUNITY, position=9, stream=f"erasure:{ANN}", at=NOON)
    catalogue = Catalogue((identity.ResidentErased, *(type(event) for event in CONFIRMED), OwnWord))
    without, whole = (folded(erasures.ERASURES, catalogue, each)[COMMUNITY][0] for each in (rows, [*rows, own]))
    assert erasure(without)["waiting"] == ["gateway"] and erasure(whole)["complete"]
    assert folded(erasures.ERASURES, catalogue, [*rows, own] * 2) == folded(erasures.ERASURES, catalogue, [*rows, own])


def test_a_confirmation_may_be_heard_before_the_erasure() -> None:
    first, later = fold(erasures.ERASURES, log(CONFIRMED[1], GONE)), fold(erasures.ERASURES, log(GONE, CONFIRMED[1]))
    assert first[0]["confirmed"].keys() == later[0]["confirmed"].keys() == {"access"} and first[0]["erased_at"]
    assert fold(erasures.ERASURES, log(CONFIRMED[1]))[0].get("erased_at") is None, "not shown before it is known"
    assert "erased_at IS NOT NULL" in str(erasures.newest(COMMUNITY, None, 5))


def test_what_is_said_again_after_a_restore_was_erased_the_first_time() -> None:
    again = identity.ResidentErased(ANN, ANN, "on_request")
    (row,) = fold(erasures.ERASURES, log(GONE, CONFIRMED[1], again))
    assert (row["reason"], row["position"], list(row["confirmed"])) == ("own_wish", 1, ["access"])


async def test_whoever_was_erased_has_no_name_and_gets_none_back() -> None:
    registered = identity.ResidentRegistered(ANN, NAME)
    for said in ((registered, GONE), (GONE, registered), (GONE,), (registered, GONE, registered)):
        (row,) = fold(my_home.RESIDENTS, log(*said))
        assert row["name"] is None and row["erased"] and await name_of(None, [row]) == (None, "erased")  # type: ignore[arg-type]
    (row,) = fold(my_home.RESIDENTS, log(registered))
    assert row["name"]["box"] == "AAAA" and not row["erased"]
    assert await name_of(_NoKeys(), []) == (None, "none")  # type: ignore[arg-type]


class _NoKeys:
    async def open_all(self, boxes: Any) -> list[Any]:
        assert not boxes
        return []


@pytest.mark.parametrize("event", [
    access.DoorOpened(GATE, GATE, ANN), access.CredentialRevoked(GATE, ANN, "card", "erased"),
    access.FaceRevoked(GATE, ANN, "erased"), access.FaceIssued(GATE, ANN),
    identity.ConsentGiven(ANN, "face", ANN), identity.ResidentLookedAt(ANN, BEN, "staff", "x", ("name",)),
    parking.SessionBegun(GATE, GATE, "ground", ANN, None, None, NOON), identity.ResidentRegistered(ANN, NAME)],
    ids=lambda event: type(event).__name__)
def test_an_erased_resident_is_called_so_in_both_languages(event: Any) -> None:
    for language, words in (("en", "an erased resident"), ("zh", "已注销的居民")):
        gone = sentence(event, {ANN: ERASED, GATE: "North gate"}, language)  # type: ignore[arg-type]
        assert words in gone.replace("An erased", "an erased") and "…" not in gone
        assert words not in sentence(event, {}, language)  # type: ignore[arg-type]


def test_who_raised_an_alarm_and_was_erased_is_called_so_too() -> None:
    raised = alarm.IncidentRaised(
        GATE, "sos", "critical", False, alarm.Place(None), "sos", None, None, None, ANN, True, NOON)
    assert "an erased resident" in sentence(raised, {ANN: ERASED}) and "已注销的居民" in sentence(raised, {ANN: ERASED}, "zh")


def test_a_revoked_face_says_why_and_a_look_not_for_what() -> None:
    withdrawn = access.FaceRevoked(GATE, ANN, "consent_withdrawn")
    assert "no longer agree" in sentence(withdrawn, {}) and "撤回同意" in sentence(withdrawn, {}, "zh")
    for language in LANGUAGES:
        assert "burglary" not in sentence(identity.ResidentLookedAt(ANN, BEN, "police", "burglary", ("name",)), {}, language)
