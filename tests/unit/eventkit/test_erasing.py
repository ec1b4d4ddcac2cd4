"""An erasure begins once, is confirmed once, and a key is erased once."""

from functools import reduce
from typing import Any
from uuid import UUID

from libs.eventkit.erasing import (
    ERASURES,
    KEYS,
    BeginErasure,
    ConfirmErasure,
    EraseKey,
    ErasureBegun,
    ErasureConfirmed,
)
from libs.eventkit.keys_topic import KeyCreated, KeyErased

ANN, KEY = UUID(int=1), UUID(int=2)


def when(command, *events):
    return ERASURES.decide[type(command)](command, ERASURES.fold(events))


def test_it_begins_with_the_subjects_of_whatever_was_sealed():
    assert when(BeginErasure(ANN, ("vehicle:2", "resident:1"))) == [ErasureBegun(ANN, ("resident:1", "vehicle:2"))]
    assert when(BeginErasure(ANN, ())) == [ErasureBegun(ANN, ())], "also where nothing was: somebody waits for the confirmation"


def test_begun_again_it_says_nothing_new():
    assert when(BeginErasure(ANN, ("resident:1",)), ErasureBegun(ANN, ("resident:1", "vehicle:2"))) == []
    assert when(BeginErasure(ANN, ()), ErasureBegun(ANN, ()), ErasureConfirmed(ANN, 0)) == []


def test_what_comes_to_light_later_is_erased_with_all_that_was():
    begun = ErasureBegun(ANN, ("resident:1",))
    assert when(BeginErasure(ANN, ("vehicle:2",)), begun) == [ErasureBegun(ANN, ("resident:1", "vehicle:2"))]
    assert when(BeginErasure(ANN, ("resident:1",), again=True), begun, ErasureConfirmed(ANN, 1)) == [begun], "a new key of the same"


def test_it_is_confirmed_once_and_not_before_it_has_begun():
    begun, confirmed = ErasureBegun(ANN, ()), ErasureConfirmed(ANN, 3)
    assert when(ConfirmErasure(ANN, 3)) == []
    assert when(ConfirmErasure(ANN, 3), begun) == [confirmed]
    assert when(ConfirmErasure(ANN, 3), begun, confirmed) == []
    assert when(ConfirmErasure(ANN, 3), begun, confirmed, begun) == [confirmed], "begun again, confirmed again"


def test_a_key_is_erased_once():
    assert KEYS.decide[EraseKey](EraseKey(KEY), KEYS.initial) == [KeyErased(KEY)]
    assert KEYS.decide[EraseKey](EraseKey(KEY), reduce(KEYS.evolve, [KeyErased(KEY)], KEYS.initial)) == []
    rewrapped: list[Any] = [KeyCreated(KEY)]
    assert KEYS.decide[EraseKey](EraseKey(KEY), reduce(KEYS.evolve, rewrapped, KEYS.initial)) == [KeyErased(KEY)]
