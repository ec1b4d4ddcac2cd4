"""A JSON Schema (2020-12) for every public event, and the shapes that each has ever had.

A shape is a schema without its prose. It is written down when it first appears and never changed: what follows may only
add fields that have a default, because records of the old shape rest in topics, and listeners of the old shape still run.
A raised `VERSION` begins anew; listeners then need an upcast. Whatever is read next to it, a schema allows unknown fields.
"""

import inspect
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import Struct

from cli.place import ROOT
from libs.contracts.topics import PUBLISHES
from libs.eventkit.recorded import tag_of

SCHEMAS = ROOT / "docs" / "schemas"
SHAPES = ROOT / "tests" / "contracts" / "shapes"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
PROSE = ("title", "description", "default")
Schema = dict[str, Any]


def published() -> Iterator[tuple[str, type[Struct]]]:
    """Every public event with the service that says it."""
    for service, contracts in PUBLISHES.items():
        for contract in contracts:
            yield service, contract


def version_of(contract: type[Struct]) -> int:
    return int(getattr(contract, "VERSION", 1))


def schema_of(contract: type[Struct]) -> Schema:
    """The schema of an event's body, on its own."""
    definitions = _schemas([contract], "#/$defs/{name}")
    body = definitions.pop(contract.__name__)
    head = {"$schema": DIALECT, "$id": f"urn:lifang:event:{tag_of(contract)}:{version_of(contract)}"}
    return head | body | ({"$defs": definitions} if definitions else {})


def components() -> dict[str, Schema]:
    """The schemas of all events, by name of their struct, as one document holds them."""
    return _schemas([contract for _, contract in published()], "#/components/schemas/{name}")


def _schemas(kinds: Sequence[type[Struct]], ref: str) -> dict[str, Schema]:
    """By name. Moments get their format, which the library leaves out since a moment may lack its zone; ours may not."""
    # a default that is a tuple here is an array there
    found: dict[str, Schema] = msgspec.json.decode(msgspec.json.encode(msgspec.json.schema_components(kinds, ref_template=ref)[1]))
    structs = {s.__name__: s for kind in kinds for s in structs_in(kind)}
    for name, schema in found.items():
        schema["description"] = inspect.cleandoc(schema.get("description", ""))
        for field, hint in get_type_hints(structs[name]).items():
            if datetime in (hint, *get_args(hint)):
                of = schema["properties"][field]
                next(s for s in of.get("anyOf", [of]) if s.get("type") == "string")["format"] = "date-time"
    return found


def structs_in(kind: Any) -> set[type[Struct]]:
    """The structs that a type is made of, itself included."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        return {kind}.union(*(structs_in(hint) for hint in get_type_hints(kind).values()))
    return set[type[Struct]]().union(*(structs_in(argument) for argument in get_args(kind)))


def text_of(document: Any) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def schema_files() -> dict[Path, str]:
    """docs/schemas as it has to be."""
    return {SCHEMAS / f"{tag_of(c)}.json": text_of(schema_of(c)) for _, c in published()}


def shape_of(contract: type[Struct]) -> Schema:
    """What a writer writes and a reader expects: the schema without its prose."""
    found: Schema = _bare(schema_of(contract))
    return {k: v for k, v in found.items() if k not in ("$schema", "$id")}


def _bare(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_bare(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {k: v for k, v in schema.items() if k not in PROSE}
    return {k: {n: _bare(s) for n, s in v.items()} if k in ("properties", "$defs") else _bare(v) for k, v in kept.items()}


def breaks(old: Schema, new: Schema, at: str = "") -> list[str]:
    """What of a new shape does not go with an old one, in words; empty where only fields with defaults were added."""
    if "properties" not in old or "properties" not in new:
        return [] if old == new else [f"{at or 'the event'} changed from {old} to {new}"]
    found = []
    before, after = old["properties"], new["properties"]
    for name, schema in before.items():
        if name not in after:
            found.append(f"{at}{name} was removed")
        elif schema != after[name]:
            found.append(f"{at}{name} changed from {schema} to {after[name]}")
    needed, was_needed = set(new.get("required", ())), set(old.get("required", ()))
    found += [f"{at}{name} is needed and was not" for name in sorted(needed - was_needed)]
    found += [f"{at}{name} was needed and is not" for name in sorted(was_needed - needed) if name in after]
    for name, schema in old.get("$defs", {}).items():
        found += breaks(schema, new.get("$defs", {}).get(name, {}), f"{at}{name}.")
    return found


def shapes(contract: type[Struct], where: Path = SHAPES) -> list[Schema]:
    """Every shape of the event's present version, the oldest first."""
    begin = f"{tag_of(contract)}.v{version_of(contract)}."
    paths = sorted(where.glob(f"{begin}*.json"), key=lambda path: int(path.name.removeprefix(begin).removesuffix(".json")))
    return [json.loads(path.read_text()) for path in paths]


def broken(contract: type[Struct], where: Path = SHAPES) -> list[str]:
    """What of the contract no longer goes with a shape that it once had."""
    now = shape_of(contract)
    return [f"{tag_of(contract)}: {text}" for shape in shapes(contract, where) for text in breaks(shape, now)]


def write_new_shapes(contracts: Iterable[type[Struct]], where: Path = SHAPES) -> list[Path]:
    """Writes down the shapes that are new. Raises ValueError for a contract that breaks with an earlier one."""
    written = []
    for contract in contracts:
        known, now = shapes(contract, where), shape_of(contract)
        if now in known[-1:]:
            continue
        if texts := broken(contract, where):
            raise ValueError("; ".join(texts))
        path = where / f"{tag_of(contract)}.v{version_of(contract)}.{len(known) + 1}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_of(now))
        written.append(path)
    return written
