"""What was ever written stays readable."""

import json
import shutil
import subprocess

import msgspec
import pytest

from cli import streams
from libs.contracts.topics import PUBLISHES
from libs.eventkit.recorded import tag_of

STORED = list(streams.stored())


@pytest.mark.parametrize(("owner", "event", "version"), STORED, ids=[f"{o}/{tag_of(e)}" for o, e, _ in STORED])
def test_every_event_has_a_golden_file_that_reads_and_writes_back_the_same(owner, event, version):
    path = streams.golden_path(owner, event, version)
    assert path.exists(), "run python -m cli.streams"
    golden = json.loads(path.read_text())
    read = msgspec.json.decode(json.dumps(golden), type=event)
    written = json.loads(msgspec.json.encode(read))
    assert holds(golden, written), "a field was removed, renamed or changed its form"


def holds(golden, written):
    """Whether everything of the golden file is there still, at any depth; fields may have been added."""
    if isinstance(golden, dict):
        return isinstance(written, dict) and all(k in written and holds(v, written[k]) for k, v in golden.items())
    if isinstance(golden, list):
        return isinstance(written, list) and len(golden) == len(written) and all(map(holds, golden, written))
    return golden == written


def test_a_field_that_is_gone_or_changed_at_any_depth_is_noticed():
    assert holds({"a": {"b": [1]}}, {"a": {"b": [1], "c": 2}})
    assert not holds({"a": {"b": [1]}}, {"a": {"c": [1]}}) and not holds({"a": [{"b": 1}]}, {"a": [{"b": 2}]})


def test_no_golden_file_is_orphaned():
    wanted = {streams.golden_path(*s) for s in STORED}
    older = set(streams.GOLDEN.rglob("*.json")) - wanted
    assert not [p for p in older if p.name.split(".v")[0] not in {w.name.split(".v")[0] for w in wanted}]


def test_no_committed_golden_file_was_ever_changed():
    if shutil.which("git") is None or not (streams.ROOT / ".git").exists():
        return
    changed = subprocess.run(
        ["git", "log", "--diff-filter=MD", "--format=%h", "--name-only", "--", "tests/contracts/golden"],
        cwd=streams.ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert not changed


def test_names_of_public_events_carry_their_service_and_are_unique():
    names = [tag_of(c) for contracts in PUBLISHES.values() for c in contracts]
    assert len(set(names)) == len(names)
    said_by = {service.name: (service.topic or service.name).partition(".")[0] for service in streams.services()}
    assert all(tag_of(c).startswith(f"{said_by[s]}.") for s, contracts in PUBLISHES.items() for c in contracts)
