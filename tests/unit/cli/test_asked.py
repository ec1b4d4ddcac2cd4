"""What waits for an operator's command is said, not waited for; what is parked and what was lost reads well."""

from typing import Any

import pytest

from cli import parked, restored, up


def found(**why: list[str]) -> dict[str, Any]:
    return {"services": {name: {"why": texts} for name, texts in why.items()}, "gateway_process": {"why": []}}


def test_only_what_a_command_alone_can_mend_is_not_waited_for():
    assert up.asks(found(access=["relay refuses: republish: partition 0 of x is empty"], alarm=[]))
    assert not up.asks(found(access=["no signing key heard yet"], alarm=["it does not answer"]))


WAITING = {"key": "account:1", "waiting": [{
    "subscription": "notes", "since": "2026-01-01", "reason": "ValueError", "subject": "account:1", "behind": 2,
    "would_do": {"commands": [{"name": "note", "command": "Note", "subject_id": "7"}]},
    "events": [{"position": 3, "event_id": "e3", "type": "added", "subject": "account:1", "reason": "ValueError"},
               {"position": 5, "event_id": "e5", "type": "added", "subject": "account:1", "reason": "behind another"}]}]}


def test_a_key_is_shown_with_what_stands_behind_it(capsys: pytest.CaptureFixture[str]):
    parked.shown({"access": WAITING, "alarm": {"key": "account:1", "waiting": []}})
    said = capsys.readouterr().out
    assert said.index("e3") < said.index("e5") and "Note of 7" in said and "1 more" in said and "alarm" not in said


def test_what_is_parked_in_all_services_is_one_list(capsys: pytest.CaptureFixture[str]):
    one = {"subscription": "notes", "key": "account:1", "since": "2026-01-01", "reason": "ValueError", "first": "e3", "behind": 2}
    parked.listed({"access": {"parked": [one]}, "alarm": {"parked": []}})
    assert "1 keys wait" in (said := capsys.readouterr().out) and "2 behind it" in said
    parked.listed({"access": {"parked": []}})
    assert capsys.readouterr().out == "Nothing is parked.\n"


def test_what_was_lost_is_counted_by_type_and_the_first_are_named(capsys: pytest.CaptureFixture[str]):
    lines = [f"1.{n}.0 toy.added id{n}" for n in range(30)]
    restored.show({"service": "toy", "generation": 2, "position": 9, "lost": 30, "lost_from": 10, "by_type": {"toy.added": 30},
                   "erased_again": 0, "beyond": lines, "settled": {"views": 1, "marks": 0}})
    said = capsys.readouterr().out
    assert "30 toy.added" in said and "id19" in said and "id20" not in said and "10 more" in said
    assert "1 views stood beyond" in said and "marks" not in said
