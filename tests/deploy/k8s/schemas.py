"""Shapes: Kubernetes' own kinds by its schemas, strictly (of the package `kubernetes-validate`); custom resources by a profile each,
written by hand, that knows the fields we use and no others. A kind that neither knows is an error."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.deploy.k8s.rendering import Object
from tests.deploy.k8s.world import title

VERSIONS = ("1.32.0", "1.34.0")
"""The oldest that has what we use (steps before the end, pods that know their index), and the one that it ran on."""
PROFILES = Path(__file__).with_name("profiles")


@cache
def definitions(version: str) -> Any:
    place = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}-local-strict"
    shared = json.loads((place / "_definitions.json").read_text())
    return place, Registry().with_resource("_definitions.json", DRAFT202012.create_resource(shared)).crawl()


@cache
def own_kind(version: str, api: str, kind: str) -> Draft202012Validator | None:
    place, registry = definitions(version)
    group, _, number = api.rpartition("/")
    path = place / f"{kind.lower()}-{group.partition('.')[0]}-{number}.json".replace("--", "-")
    if not path.is_file():
        return None
    schema = json.loads(path.read_text())
    return Draft202012Validator(schema, registry=registry)


@cache
def profiles() -> dict[tuple[str, str], Draft202012Validator]:
    """By API version and kind."""
    found = {}
    for path in sorted(PROFILES.glob("*.yaml")):
        for profile in yaml.safe_load_all(path.read_text()):
            schema = strict(profile["spec"])
            Draft202012Validator.check_schema(schema)
            whole = {"type": "object", "properties": {
                "apiVersion": {"const": profile["apiVersion"]}, "kind": {"const": profile["kind"]}, "metadata": METADATA, "spec": schema},
                "required": ["apiVersion", "kind", "metadata", "spec"], "additionalProperties": False}
            found[profile["apiVersion"], profile["kind"]] = Draft202012Validator(whole)
    return found


NAME = {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253}
METADATA = {"type": "object", "required": ["name", "namespace"], "additionalProperties": False, "properties": {
    "name": NAME, "namespace": {"const": "lifang"}, "labels": {"type": "object", "additionalProperties": {"type": "string"}}}}


def strict(of: Any) -> Any:
    """A short form: a mapping is an object with these fields and no others (`name!`: it has to be there), a list of one an array, a
    text with a space or a symbol a pattern, the names of types themselves."""
    if isinstance(of, list):
        return {"type": "array", "minItems": 1, "items": strict(of[0])}
    if isinstance(of, str):
        known = {"text": "string", "integer": "integer", "boolean": "boolean"}
        return {"type": known[of]} if of in known else {"type": "string", "pattern": of}
    if isinstance(of, dict) and set(of) <= {"map", "one", "least", "most", "value"} and of:
        return special(of)
    properties = {name.rstrip("!"): strict(value) for name, value in of.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False,
            "required": [name[:-1] for name in of if name.endswith("!")]}


def special(of: dict[str, Any]) -> Any:
    if "map" in of:
        return {"type": "object", "additionalProperties": strict(of["map"]), "minProperties": 1}
    if "one" in of:
        return {"enum": of["one"]}
    if "value" in of:
        return {"const": of["value"]}
    return {"type": "integer", "minimum": of["least"], "maximum": of["most"]}


def errors(of: Object) -> Iterator[str]:
    """What is wrong with its shape."""
    api, kind = str(of.get("apiVersion")), str(of.get("kind"))
    profile = profiles().get((api, kind))
    validators = [profile] if profile else [own_kind(version, api, kind) for version in VERSIONS]
    for validator in validators:
        if validator is None:
            yield f"{title(of)}: nobody knows {kind} of {api}"
        elif (error := best_match(validator.iter_errors(of))) is not None:
            yield f"{title(of)}: {'/'.join(map(str, error.absolute_path))}: {error.message[:160]}"
