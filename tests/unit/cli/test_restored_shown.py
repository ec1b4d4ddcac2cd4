"""What `lifang restored` tells an operator."""

from typing import Any

import pytest

from cli import restored

FOUND: dict[str, Any] = {
    "service": "identity", "generation": 2, "position": 9, "lost": 0, "lost_from": None, "by_type": {}, "beyond": [],
    "settled": {"marks": 0, "views": 3}}


@pytest.mark.parametrize(("keys", "said"), [(0, False), (4, True)])
def test_erasures_that_were_lost_are_told_and_none_where_there_were_none(capsys: pytest.CaptureFixture[str], keys: int, said: bool):
    restored.show(FOUND | {"erased_again": keys})
    told = capsys.readouterr().out
    assert ("4 keys had been erased since" in told) == said == ("erased" in told)
    assert "generation 2 at position 9" in told and "3 views stood beyond" in told and "marks" not in told
