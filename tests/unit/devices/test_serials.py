from hypothesis import given
from hypothesis import strategies as st

from services.devices.domain.serials import RANGES, Serials


def seen(*serials: int) -> Serials:
    found = Serials()
    for serial in serials:
        found = found.add(serial)
    return found


@given(st.lists(st.integers(0, 60), max_size=80))
def test_ranges_know_exactly_what_was_seen(serials: list[int]) -> None:
    found = seen(*serials)
    assert [n for n in range(-1, 62) if n in found] == sorted(set(serials))
    assert all(a[1] + 1 < b[0] for a, b in zip(found.ranges, found.ranges[1:], strict=False))


@given(st.sets(st.integers(1, 39)), st.integers(1, 39))
def test_what_is_missing_and_what_is_below(serials: set[int], n: int) -> None:
    found = seen(*serials)
    missing = [m for after, before in found.missing(0, 40) for m in range(after + 1, before)]
    assert missing == [m for m in range(1, 40) if m not in serials]
    assert found.below(n) == max((s for s in serials if s < n), default=None)


def test_a_history_in_order_is_one_range() -> None:
    assert seen(*range(1, 3709)).ranges == ((1, 3708),)


def test_a_device_that_skips_numbers_for_ever_does_not_fill_the_memory() -> None:
    assert len(seen(*range(0, 4 * RANGES, 2)).ranges) == RANGES
