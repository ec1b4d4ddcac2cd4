"""`python -m cli.streams`: writes the documents that follow from the code, and the golden files that are missing.

The documents: docs/streams.md, and those of cli/contracts (asyncapi.yaml, schemas, openapi). docs/streams.md says who
publishes, who hears and what each event says. A golden file is one example of an event as it is stored; once committed it
never changes: whatever was written must stay readable.
"""

import importlib
import inspect
import json
import types
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from msgspec import Struct

from libs.contracts.topics import PUBLISHES
from libs.eventkit.recorded import tag_of
from libs.eventkit.service import Service

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "streams.md"
GOLDEN = ROOT / "tests" / "contracts" / "golden"
COMMAND = "python -m cli.streams"
SERVICES = ("identity", "access", "devices", "parking", "alarm", "neighbors", "gateway")


def services() -> Iterator[Service]:
    for name in SERVICES:
        yield importlib.import_module(f"services.{name}.main").SERVICE


def stored() -> Iterator[tuple[str, type[Struct], int]]:
    """Every event that rests somewhere: (owner, type, version)."""
    for service, contracts in PUBLISHES.items():
        for contract in contracts:
            yield f"public/{service}", contract, getattr(contract, "VERSION", 1)
    for service_ in services():
        catalogue = service_.catalogue()
        for event in service_.events:
            yield service_.name, event, catalogue.versions[tag_of(event)]


def example(kind: Any, seed: int = 1) -> Any:
    """A value of a type, always the same."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return arguments[0]
    if origin in (Union, types.UnionType):
        return example(next(a for a in arguments if a is not type(None)), seed)
    if origin is tuple and Ellipsis not in arguments:
        return tuple(example(a, seed + n) for n, a in enumerate(arguments))
    if origin in (tuple, list, frozenset):
        return origin([example(arguments[0], seed)])
    if origin is dict:
        return {"key" if arguments[0] is str else example(arguments[0]): example(arguments[1], seed)}
    if inspect.isclass(kind) and issubclass(kind, Struct):
        hints = get_type_hints(kind)
        return kind(**{f: example(hints[f], seed + n) for n, f in enumerate(kind.__struct_fields__, 1)})
    plain = {
        UUID: UUID(int=seed), str: f"text {seed}", int: seed, float: seed + 0.5, bool: True, bytes: b"bytes",
        datetime: datetime(2026, 1, 2, 3, 4, seed % 60, tzinfo=UTC), date: date(2026, 1, 1 + seed % 28), Any: "any",
        time: time(1, 2, seed % 60),
    }
    return plain[kind]


def golden_path(owner: str, event: type[Struct], version: int) -> Path:
    return GOLDEN / owner / f"{tag_of(event)}.v{version}.json"


def write_missing() -> list[Path]:
    written = []
    for owner, event, version in stored():
        path = golden_path(owner, event, version)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            body = json.loads(msgspec.json.encode(example(event)))
            path.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n")
            written.append(path)
    return written


def type_name(kind: Any) -> str:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " | ".join(f"`{a}`" for a in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(type_name(a) for a in arguments)
    if origin in (tuple, list, frozenset):
        return f"list of {type_name(arguments[0])}"
    if origin is dict:
        return "object"
    names = {UUID: "uuid", str: "text", int: "integer", float: "number", bool: "boolean", datetime: "moment (UTC)", date: "day",
        time: "time of day"}
    return names.get(kind, "nothing" if kind is type(None) else kind.__name__)


def document() -> str:
    """docs/streams.md as it has to be."""
    hears, topics = {s.name: s.hears for s in services()}, {s.name: s.topic for s in services()}
    lines = [
        "# Streams", "",
        "Generated from `libs/contracts` by `python -m cli.streams`; do not edit. Every topic is `<prefix>.<service>.v1`, keyed by",
        "community, CloudEvents 1.0 in binary mode with a JSON body; one with a dot in its name is for others outside and has no prefix.",
        "Envelope: `libs/eventkit/envelope.py`. Keys travel on `<prefix>.keys.v1`, compacted.", "",
        "| topic | published by | heard by |", "|---|---|---|"]
    for service in PUBLISHES:
        listeners = ", ".join(name for name, sources in hears.items() if service in sources) or "–"
        lines.append(f"| `{topics.get(service) or service}.v1` | {service} | {listeners} |")
    for service, contracts in PUBLISHES.items():
        lines += ["", f"## {service}"]
        for contract in contracts:
            lines += ["", f"### `{tag_of(contract)}` v{getattr(contract, 'VERSION', 1)}", "", inspect.getdoc(contract) or "", ""]
            lines += ["| field | type |", "|---|---|"]
            hints = get_type_hints(contract)
            lines += [f"| `{f}` | {type_name(hints[f])} |" for f in contract.__struct_fields__]
    return "\n".join(lines) + "\n"


def documents() -> dict[Path, str]:
    """Every generated document as it has to be."""
    from cli.contracts import asyncapi, openapi, schemas  # they build on this module

    return {DOCUMENT: document(), asyncapi.DOCUMENT: asyncapi.text(), **schemas.schema_files(), **openapi.files()}


def generated() -> set[Path]:
    """Every file that is in a place where only generated documents are."""
    return {path for place in ("schemas", "openapi") for path in (ROOT / "docs" / place).glob("*")}


def main() -> None:
    from cli.contracts.schemas import published, write_new_shapes

    for path in (*write_missing(), *write_new_shapes(contract for _, contract in published())):
        print(f"new golden file {path.relative_to(ROOT)}")
    wanted = documents()
    for path in generated() - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
