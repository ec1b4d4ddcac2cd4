"""A contract may gain fields that have a default, and nothing else: every shape that it ever had still goes with it."""

import shutil
import subprocess
from typing import Literal

import msgspec
import pytest
from msgspec import Struct

from cli import streams
from cli.contracts import schemas
from libs.contracts.access import CredentialIssued, CredentialJudged, Fact
from libs.eventkit.recorded import tag_of

CONTRACTS = [contract for _, contract in schemas.published()]


def twin(contract: type[Struct], *, without: str = "", **changed: object) -> type[Struct]:
    """A copy of a contract under the same name. A change is a type, or (type, default)."""
    fields = {f.name: (f.name, f.type) if f.required else (f.name, f.type, f.default) for f in msgspec.structs.fields(contract)}
    fields.pop(without, None)
    fields |= {name: (name, *(of if isinstance(of, tuple) else (of,))) for name, of in changed.items()}
    return msgspec.defstruct(contract.__name__, fields.values(), frozen=True, kw_only=True, tag=tag_of(contract))


@pytest.mark.parametrize("contract", CONTRACTS, ids=tag_of)
def test_a_contract_goes_with_every_shape_that_it_had(contract):
    assert schemas.broken(contract) == []
    assert schemas.shapes(contract)[-1:] == [schemas.shape_of(contract)], f"its shape is new: run {streams.COMMAND}"


def test_a_copy_that_is_no_different_is_taken():
    assert schemas.broken(twin(CredentialIssued)) == []


def test_a_new_field_with_a_default_is_taken_and_then_kept(tmp_path):
    schemas.write_new_shapes([CredentialIssued], tmp_path)
    grown = twin(CredentialIssued, colour=(str, "grey"))
    assert [p.name for p in schemas.write_new_shapes([grown], tmp_path)] == ["access.credential_issued.v1.2.json"]
    assert schemas.write_new_shapes([grown], tmp_path) == []
    assert schemas.broken(CredentialIssued, tmp_path) == ["access.credential_issued: colour was removed"]
    with pytest.raises(ValueError, match="colour was removed"):
        schemas.write_new_shapes([CredentialIssued], tmp_path)


@pytest.mark.parametrize(("broken", "why"), [
    (twin(CredentialIssued, without="person_id"), "person_id was removed"),
    (twin(CredentialIssued, person_id=str), "person_id changed"),
    (twin(CredentialIssued, person_id=str | None), "person_id changed"),
    (twin(CredentialIssued, kind=Literal["card", "pin", "face"]), "kind changed"),
    (twin(CredentialIssued, colour=str), "colour is needed and was not"),
    (twin(CredentialJudged, facts=tuple[msgspec.defstruct("Fact", [("says", str)]), ...]), "Fact.event_id was removed"),
], ids=["removed", "another type", "also nothing", "one more of a few", "needed", "within"])
def test_a_broken_twin_is_caught(broken, why):
    assert any(why in text for text in schemas.broken(broken)), schemas.broken(broken)


def test_a_field_of_a_part_counts_as_one_of_the_event():
    old, new = schemas.shape_of(CredentialJudged), schemas.shape_of(CredentialJudged)
    part = new["$defs"][Fact.__name__]
    part["properties"]["weight"] = {"type": "integer"}
    assert schemas.breaks(old, new) == []
    part["required"] = [*part["required"], "weight"]
    assert schemas.breaks(old, new) == ["Fact.weight is needed and was not"]
    del part["properties"]["says"]
    assert "Fact.says was removed" in schemas.breaks(old, new)


def test_a_raised_version_begins_anew(tmp_path):
    schemas.write_new_shapes([CredentialIssued], tmp_path)
    next_one = msgspec.defstruct("CredentialIssued", [("other", int)], tag=tag_of(CredentialIssued), namespace={"VERSION": 2})
    assert [p.name for p in schemas.write_new_shapes([next_one], tmp_path)] == ["access.credential_issued.v2.1.json"]


def test_no_committed_shape_was_ever_changed():
    if shutil.which("git") is None or not (streams.ROOT / ".git").exists():
        return
    changed = subprocess.run(
        ["git", "log", "--diff-filter=MD", "--format=%h", "--name-only", "--", "tests/contracts/shapes"],
        cwd=streams.ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert not changed
