from uuid import UUID

from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.sealed import Sealed
from services.devices.domain.unplaced import A_DAY, PER_ACCOUNT, UNPLACED, FrameUnplaced, KeepUnplaced

BOX, PANEL = Sealed(UUID(int=1), UUID(int=2), "body", "box"), UUID(int=3)


def frame(account: str = "9999", reason: str = "account_unknown") -> FrameUnplaced:
    return FrameUnplaced(account, reason, BOX, 60)


def when(command: KeepUnplaced, *events: FrameUnplaced) -> list[FrameUnplaced]:
    return list(UNPLACED.decide[KeepUnplaced](command, UNPLACED.fold(events)))


def test_a_frame_is_kept_with_why_and_whose() -> None:
    assert when(KeepUnplaced("4A21", "not_encrypted", BOX, 60, PANEL)) == [FrameUnplaced("4A21", "not_encrypted", BOX, 60, PANEL)]


def test_of_an_account_and_reason_a_few_are_kept() -> None:
    again = KeepUnplaced("9999", "account_unknown", BOX, 60)
    assert when(again, *[frame()] * (PER_ACCOUNT - 1)) == [frame()]
    assert when(again, *[frame()] * PER_ACCOUNT) == []
    assert when(KeepUnplaced("8888", "account_unknown", BOX, 60), *[frame()] * PER_ACCOUNT) == [frame("8888")]
    assert when(KeepUnplaced("9999", "format", BOX, 60), *[frame()] * PER_ACCOUNT) == [frame("9999", "format")]


def test_and_of_all_together_so_many_a_day() -> None:
    many = [frame(f"{n:04d}") for n in range(A_DAY)]
    assert when(KeepUnplaced("FFFF", "account_unknown", BOX, 60), *many[:-1]) == [frame("FFFF")]
    assert when(KeepUnplaced("FFFF", "account_unknown", BOX, 60), *many) == []


def test_a_key_that_was_made_for_it_counts_for_nothing() -> None:
    kept = UNPLACED.fold([frame()])
    assert UNPLACED.evolve(kept, KeyCreated(UUID(int=9))) == kept  # type: ignore[arg-type]
