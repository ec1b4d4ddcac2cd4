"""How a resident counts: every source's word is kept, the police's holds before the grid's, before staff's, before one's own."""

from itertools import permutations
from uuid import UUID

import pytest

from libs.eventkit.decider import Refused
from services.identity.domain.population import (
    ORDER,
    POPULATION,
    DeclarePopulation,
    PopulationDeclared,
    PopulationSettled,
    findings,
    holds,
)

ANN, BY = UUID(int=1), UUID(int=2)


def declared(source, kind):
    return PopulationDeclared(ANN, source, kind, BY)


def when(source, kind, *events):
    return POPULATION.decide[DeclarePopulation](DeclarePopulation(ANN, source, kind, BY), POPULATION.fold(events))


def test_the_first_word_holds():
    assert when("staff", "floating") == [declared("staff", "floating"), PopulationSettled(ANN, "staff", "floating")]


def test_who_counts_more_is_believed_and_who_counts_less_is_kept():
    staff = declared("staff", "floating")
    assert when("police", "registered", staff) == [
        declared("police", "registered"), PopulationSettled(ANN, "police", "registered")]
    assert when("staff", "floating", declared("police", "registered")) == [staff]
    assert when("grid", "floating", staff) == [declared("grid", "floating"), PopulationSettled(ANN, "grid", "floating")], (
        "whose word it is has changed")


def test_what_a_source_has_said_it_says_once_and_may_take_back():
    assert when("staff", "floating", declared("staff", "floating")) == []
    assert when("staff", "foreign", declared("staff", "floating"))[-1] == PopulationSettled(ANN, "staff", "foreign")


def test_nobody_else_is_a_source():
    with pytest.raises(Refused, match="not_a_source"):
        when("operator", "floating")


def test_the_order_of_sources_counts_whenever_they_spoke():
    assert ORDER == ("police", "grid", "staff", "self")
    kinds = dict(zip(ORDER, ("registered", "floating", "foreign", "floating"), strict=True))
    for n in range(1, 5):
        for spoke in permutations(ORDER, n):
            said = POPULATION.fold([declared(source, kinds[source]) for source in spoke]).said
            first = min(spoke, key=ORDER.index)
            assert holds(said) == (first, kinds[first])
    assert holds({}) is None


def test_a_contradiction_is_a_finding():
    assert findings({"staff": "floating", "police": "floating"}) == findings({}) == []
    assert findings({"staff": "floating", "police": "registered"}) == ["sources_contradict"]
