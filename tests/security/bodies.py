"""The smallest body that a route's own document calls valid, so that a request gets as far as the question whose object it names."""

from typing import Any
from uuid import uuid4

WORDS = {
    "phone": "+8613800008888", "plate": "沪A12345", "plates": ["沪A12345"], "id_number": "31010419900101001X",
    "occurred_at": "2026-01-01T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2026-01-02T00:00:00Z",
    "address": "127.0.0.1:9", "division_code": "310104", "code": "91350100M000100Y43", "pin": "739152", "spaces": {"A": 1},
    "start": "08:00"}


def body_of(document: dict[str, Any], route: str) -> Any:
    """None where the route takes none."""
    method, path = route.split(" ")
    asked = document["paths"][path][method.lower()].get("requestBody")
    if asked is None:
        return None
    content: dict[str, Any] = asked["content"]
    return least(document, next(iter(content.values()))["schema"])


def least(document: dict[str, Any], schema: dict[str, Any], name: str = "") -> Any:
    if "$ref" in schema:
        found: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return least(document, found, name)
    if name in WORDS:
        return WORDS[name]
    for kind in ("anyOf", "oneOf", "allOf"):
        if kind in schema:
            return least(document, schema[kind][0], name)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    return simple(document, schema, name)


def simple(document: dict[str, Any], schema: dict[str, Any], name: str) -> Any:
    match schema.get("type"):
        case "object":
            return {n: least(document, s, n) for n, s in schema.get("properties", {}).items() if n in schema.get("required", ())}
        case "array":
            return [least(document, schema["items"], name.removesuffix("s")) for _ in range(schema.get("minItems", 0))]
        case "integer" | "number":
            return max(int(schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)), 1)
        case "boolean":
            return True
        case "null":
            return None
    formats = {"uuid": str(uuid4()), "date-time": "2026-01-01T00:00:00Z", "date": "2026-01-01", "time": "08:00:00"}
    text: str = formats.get(schema.get("format", ""), "x" * max(schema.get("minLength", 1), 1))
    return text
