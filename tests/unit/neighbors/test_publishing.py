"""What others hear of neighbors, and what they do not."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from libs.contracts import neighbors as public
from libs.contracts.access import Fact as PublicFact
from libs.contracts.fields import SealedField
from libs.contracts.topics import PUBLISHES
from libs.eventkit.erasing import ErasureConfirmed
from libs.eventkit.sealed import Sealed
from services.neighbors.domain.broadcasts import BroadcastEnded, BroadcastSent, Fact
from services.neighbors.domain.circles import MemberJoined, MemberLeft, ResidenceAdded, ResidenceRemoved
from services.neighbors.domain.display_names import DisplayNameChosen, DisplayNameDropped
from services.neighbors.domain.notices import NoticePosted, NoticeWithdrawn
from services.neighbors.domain.receipts import NoticeRead
from services.neighbors.domain.tellings import ResidentNotTold, ResidentTold, TellingFailed, TellingQueued
from services.neighbors.main import EVENTS
from services.neighbors.publishing import publish
from tests.kit import recorded

A, B, C, D = (UUID(int=n) for n in range(1, 5))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
TOLD = [
    (MemberJoined(A, A, B, C), public.CircleJoined(A, A, B)),
    (MemberLeft(A, None, B, C), public.CircleLeft(A, None, B)),
    (DisplayNameChosen(A, Sealed(B, C, "s", "box"), NOW), public.DisplayNameChosen(A, SealedField(B, C, "s", "box"))),
    (NoticePosted(A, B, None, "fees", "t", "x", C, 3), public.NoticePosted(A, B, None, "fees", "t", "x", C, 3)),
    (NoticeWithdrawn(A, B), public.NoticeWithdrawn(A, B)),
    (NoticeRead(A, B), public.NoticeRead(A, B)),
    (BroadcastSent(A, B, "fire", "t", C, None, "r", "w", (Fact(D, "s"),), (A, B)),
     public.BroadcastSent(A, B, "fire", "t", C, None, "r", "w", (PublicFact(D, "s"),), 2)),
    (BroadcastEnded(A, B, C, "by_hand"), public.BroadcastEnded(A, B, C, "by_hand")),
    (ResidentTold(D, A, B, "push", 2), public.ResidentTold(A, B, "push")),
    (ResidentNotTold(D, A, B, "push", "ended"), public.ResidentNotTold(A, B, "push", "ended")),
    (ErasureConfirmed(A, 1), public.NeighborsErasureConfirmed(A, 1)),
]
KEPT = [ResidenceAdded(A, A, B, C), ResidenceRemoved(A, A, B, C), TellingQueued(D, A, B, C, "push", NOW), TellingFailed(D, 1, "E", NOW),
        DisplayNameDropped(A, "contains_own_name")]


@pytest.mark.parametrize(("event", "heard"), TOLD, ids=lambda e: type(e).__name__)
def test_others_hear(event, heard):
    assert [p.body for p in publish(event, recorded(event))] == [heard]


@pytest.mark.parametrize("event", KEPT, ids=lambda e: type(e).__name__)
def test_others_do_not_hear(event):
    assert publish(event, recorded(event)) == ()


def test_every_event_is_told_or_kept_on_purpose():
    assert {type(e) for e in (*(own for own, _ in TOLD), *KEPT)} == {*EVENTS, ErasureConfirmed}
    assert {type(heard) for _, heard in TOLD} == set(PUBLISHES["neighbors"])
