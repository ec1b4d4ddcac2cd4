"""A face is a way in for whoever agrees to it, beside another one, until they withdraw: then it goes, from the readers too."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts import access as public
from libs.contracts import devices, identity
from libs.eventkit.decider import NotYet, Refused
from libs.eventkit.recorded import Catalogue
from libs.eventkit.sealed import Sealed
from services.access.domain.credentials import (
    CREDENTIALS,
    CredentialIssued,
    CredentialRevoked,
    IssueCredential,
    RevokeCredential,
    Revoked,
    normalised,
    template_id_of,
)
from services.access.domain.face_filing import FILING, CountTemplates, FilingDue
from services.access.faces import faces
from services.access.publishing import publish
from services.access.views import readers
from services.access.ways import Ways
from tests.kit import folded, recorded

ANN, BEN, FACE, CARD, READER, OTHER, HERE = (UUID(int=n) for n in range(1, 8))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
BOX = Sealed(ANN, BEN, "number", "x")
FACE_ISSUED, CARD_ISSUED = CredentialIssued(FACE, ANN, "face", BOX), CredentialIssued(CARD, ANN, "card", BOX)
FACE_REVOKED = CredentialRevoked(FACE, ANN, "face", "consent_withdrawn")
GIVEN, WITHDRAWN = identity.ConsentGiven(ANN, "face", ANN), identity.ConsentWithdrawn(ANN, "face", ANN)
WANTED, REMOVED = devices.TemplateRemovalWanted(FACE, READER), devices.TemplateRemoved(FACE, READER)


def issue(**more: Any) -> IssueCredential:
    return IssueCredential(FACE, ANN, "face", BOX, "blind", agreed=True, other_way=True, **more)


def decide(command: Any, *events: Any) -> list[Any]:
    return CREDENTIALS.decide[type(command)](command, CREDENTIALS.fold(events))


class Known(Ways):
    """What was said, in this order."""

    def __init__(self, *events: Any) -> None:
        super().__init__()
        for position, event in enumerate(events, 1):
            self._apply(event, recorded(event, HERE, position=position))

    async def ready(self, position: int = 0, community_id: UUID | None = None) -> None:
        pass


def test_a_face_is_issued_to_whoever_agrees_and_has_another_way():
    assert decide(issue()) == [FACE_ISSUED]
    assert decide(issue(), FACE_ISSUED) == []
    command = issue()
    for lacks, code in (({"agreed": False}, "consent_missing"), ({"other_way": False}, "other_way_missing")):
        with pytest.raises(Refused, match=code):
            decide(IssueCredential(**{name: getattr(command, name) for name in command.__struct_fields__} | lacks))


def test_cards_and_pins_need_no_consent():
    assert decide(IssueCredential(CARD, ANN, "card", BOX, "blind")) == [CARD_ISSUED]


def test_a_revocation_says_why():
    assert decide(RevokeCredential(FACE, "consent_withdrawn"), FACE_ISSUED) == [FACE_REVOKED]
    assert decide(RevokeCredential(FACE), FACE_ISSUED) == [CredentialRevoked(FACE, ANN, "face")]
    assert decide(RevokeCredential(FACE, "consent_withdrawn"), FACE_ISSUED, FACE_REVOKED) == []


@pytest.mark.parametrize("event, told", [
    (FACE_ISSUED, public.FaceIssued(FACE, ANN)), (FACE_REVOKED, public.FaceRevoked(FACE, ANN, "consent_withdrawn")),
    (CARD_ISSUED, public.CredentialIssued(CARD, ANN, "card")),
    (CredentialRevoked(CARD, ANN, "card", "erased"), public.CredentialRevoked(CARD, ANN, "card", "erased"))])
def test_others_hear_of_faces_by_another_name_since_older_listeners_know_none(event, told):
    assert [p.body for p in publish(event, recorded(event, HERE))] == [told]


def test_a_template_has_an_id_that_readers_take_and_that_is_nobodys_name():
    text = template_id_of(FACE)
    assert len(text) == 32 and normalised("face", f" {text.upper()} ") == text and str(ANN) not in text


async def test_a_withdrawal_ends_the_faces_that_were_there_and_no_card():
    react = faces(Known(GIVEN, CARD_ISSUED, FACE_ISSUED, WITHDRAWN)).on[identity.ConsentWithdrawn]
    row = recorded(WITHDRAWN, HERE, position=4)
    assert [(do.subject_id, do.command) for do in await react(WITHDRAWN, row)] == [(FACE, RevokeCredential(FACE, "consent_withdrawn"))]
    assert await react(identity.ConsentWithdrawn(BEN, "face", BEN), row) == []
    assert await react(identity.ConsentWithdrawn(ANN, "sharing", ANN), row) == []
    later = faces(Known(GIVEN, WITHDRAWN, GIVEN, FACE_ISSUED)).on[identity.ConsentWithdrawn]
    assert await later(WITHDRAWN, recorded(WITHDRAWN, HERE, position=2)) == [], "they have agreed again since"


async def test_a_face_that_was_issued_in_the_moment_of_the_withdrawal_goes_too():
    row = recorded(FACE_ISSUED, HERE, position=3, stream=f"credential:{FACE}")
    late = await faces(Known(GIVEN, WITHDRAWN, FACE_ISSUED)).on[CredentialIssued](FACE_ISSUED, row)
    assert [do.command for do in late] == [RevokeCredential(FACE, "consent_withdrawn"), CountTemplates(HERE, 1)]
    agreed = await faces(Known(GIVEN, FACE_ISSUED)).on[CredentialIssued](FACE_ISSUED, row)
    assert [do.command for do in agreed] == [CountTemplates(HERE, 1)]
    assert await faces(Known(CARD_ISSUED)).on[CredentialIssued](CARD_ISSUED, row) == []


async def test_what_cannot_be_read_might_be_a_withdrawal():
    ways = Ways()
    ways.memory.unreadable.add(HERE)
    ways.memory.fresh = lambda position: _nothing()  # type: ignore[method-assign]
    with pytest.raises(NotYet):
        await ways.ready(1, HERE)


async def _nothing() -> None:
    pass


def test_consents_are_of_one_person_one_purpose_and_one_community():
    ways = Known(GIVEN, identity.ConsentGiven(BEN, "notices", BEN))
    assert ways.agrees(HERE, ANN, "face") and not ways.agrees(HERE, BEN, "face") and not ways.agrees(ANN, ANN, "face")
    ways._apply(identity.ResidentErased(ANN, ANN, "own_wish"), recorded(GIVEN, HERE))
    assert not ways.agrees(HERE, ANN, "face") and ways.agrees(HERE, BEN, "notices")


def test_who_is_left_with_their_face_alone_is_known():
    assert Known(CARD_ISSUED, FACE_ISSUED, CredentialRevoked(CARD, ANN, "card")).face_alone(HERE, ANN, NOW)
    assert not Known(CARD_ISSUED, FACE_ISSUED).face_alone(HERE, ANN, NOW) and not Known().face_alone(HERE, ANN, NOW)
    assert Known(CARD_ISSUED).other_way(HERE, ANN, NOW) and not Known(FACE_ISSUED).other_way(HERE, ANN, NOW)
    assert not Known(CARD_ISSUED).other_way(HERE, BEN, NOW)


def test_a_card_that_has_run_out_and_a_duress_pin_are_no_way_in_beside_a_face():
    pin, duress = CredentialIssued(OTHER, ANN, "pin", BOX), CredentialIssued(READER, ANN, "pin", BOX, None, True)
    for until, leads_in in ((NOW - timedelta(days=1), False), (NOW, False), (NOW + timedelta(days=1), True)):
        card = CredentialIssued(CARD, ANN, "card", BOX, until)
        assert Known(card).other_way(HERE, ANN, NOW) is leads_in
        assert Known(card, pin, FACE_ISSUED, CredentialRevoked(OTHER, ANN, "pin")).face_alone(HERE, ANN, NOW) is not leads_in
    assert not Known(duress).other_way(HERE, ANN, NOW) and Known(duress, pin).other_way(HERE, ANN, NOW)
    assert Known(duress, pin, FACE_ISSUED, CredentialRevoked(OTHER, ANN, "pin")).face_alone(HERE, ANN, NOW)


def test_whose_a_revoked_credential_was_is_known_for_whoever_asks_again():
    state = CREDENTIALS.fold([FACE_ISSUED, FACE_REVOKED])
    assert isinstance(state, Revoked) and state.person_id == ANN


def test_a_template_counts_until_every_reader_has_forgotten_it():
    other = devices.TemplateRemovalWanted(FACE, OTHER)
    log = [CARD_ISSUED, FACE_ISSUED, FACE_REVOKED, WANTED, other, REMOVED, devices.TemplateRemoved(FACE, OTHER)]
    counts = [Known(*log[:n]).stored() for n in range(1, len(log) + 1)]
    assert counts == [0, 1, 0, 1, 1, 1, 0]
    assert Known(*log, WANTED).stored() == 0, "said again"
    failed, gone = (devices.TemplateNotRemoved(FACE, OTHER, reason, 7, NOW) for reason in ("unreachable", "reader_gone"))
    assert [Known(*log[:-1], what).stored() for what in (failed, gone)] == [1, 0], "or is gone"


SAID = st.lists(st.sampled_from([GIVEN, WITHDRAWN]), max_size=12)


@given(SAID)
@settings(max_examples=200, deadline=None)
def test_whatever_is_given_and_withdrawn_the_last_word_holds(said):
    assert Known(*said).agrees(HERE, ANN, "face") is bool(said and said[-1] is GIVEN)


def counted(stored: int, *events: Any) -> list[Any]:
    return FILING.decide[CountTemplates](CountTemplates(HERE, stored), FILING.fold(events))


def test_a_finding_comes_near_the_threshold_and_when_it_is_reached_once_each():
    near, reached = FilingDue(HERE, "near", 90_000, 100_000), FilingDue(HERE, "reached", 100_000, 100_000)
    assert counted(89_999) == [] and counted(90_000) == [near] and counted(99_999, near) == []
    assert counted(100_000, near) == [reached] and counted(100_000) == [reached]
    assert counted(120_000, near, reached) == [] and counted(95_000, reached) == []


def test_the_proof_of_each_reader_is_shown_and_a_late_failure_takes_none_back():
    again = NOW + timedelta(seconds=1)
    failed = devices.TemplateNotRemoved(FACE, READER, "unreachable", 1, again)
    catalogue = Catalogue((devices.TemplateRemovalWanted, devices.TemplateRemoved, devices.TemplateNotRemoved))
    log = [recorded(e, HERE, position=n, source="devices", at=NOW) for n, e in enumerate(
        (WANTED, devices.TemplateRemovalWanted(FACE, OTHER), failed, REMOVED, failed, WANTED), 1)]
    waits, done = folded(readers.VIEW, catalogue, log[:3])[HERE], folded(readers.VIEW, catalogue, log)[HERE]
    assert [(row["state"], row["attempts"], row.get("reason")) for row in waits] == [
        ("waiting", 1, "unreachable"), ("waiting", 0, None)]
    assert [(row["state"], row["attempts"]) for row in done] == [("removed", 1), ("waiting", 0)] and done[0]["removed_at"]
    assert folded(readers.VIEW, catalogue, [*log, *log]) == folded(readers.VIEW, catalogue, log)
    gone = [recorded(devices.TemplateNotRemoved(FACE, OTHER, "reader_gone", 7, NOW), HERE, position=9, source="devices", at=NOW)]
    shown = folded(readers.VIEW, catalogue, [*log, *gone])[HERE]
    assert [(row["state"], row.get("removed_at")) for row in shown if row["device_id"] == str(OTHER)] == [("reader_gone", None)]
