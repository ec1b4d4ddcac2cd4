"""docs/asyncapi.yaml: topics, who says and who hears what on them, as AsyncAPI 3.0."""

import inspect
import json
from typing import Any

import msgspec
import yaml
from msgspec import Struct

from cli.contracts.schemas import components, version_of
from cli.place import ROOT
from cli.streams import golden_path, services
from libs.contracts.topics import PUBLISHES
from libs.eventkit.commands import LARGEST
from libs.eventkit.envelope import PARTITIONS
from libs.eventkit.privacy import KeyRecord
from libs.eventkit.recorded import tag_of
from libs.eventkit.service import Service

DOCUMENT = ROOT / "docs" / "asyncapi.yaml"
PLACE = {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"}
UUID = {"type": "string", "format": "uuid"}
MOMENT = {"type": "string", "format": "date-time"}
USERS = (
    "A user of whoever listens (`lifang subscriber add NAME` makes one, with its password): it reads the topics that it was given, and its"
    " consumer groups are called `NAME.` and something. With Strimzi brokers are spoken to by TLS (protocol kafka-secure), and a"
    " certificate stands in its place.")
HEADERS: dict[str, tuple[bool, dict[str, Any], str]] = {
    "content-type": (True, {"const": "application/json"}, "the attribute datacontenttype"),
    "ce_specversion": (True, {"const": "1.0"}, ""),
    "ce_id": (True, UUID, "unique; a record with an id that was heard is the same event again"),
    "ce_source": (True, {"type": "string", "pattern": "^/lifang/[a-z]+$"}, "the service that says it"),
    "ce_type": (True, {"type": "string"}, "the event's name"),
    "ce_subject": (False, {"type": "string"}, "what it is about, as `<category>:<uuid>`"),
    "ce_time": (True, MOMENT, "when the service recorded it"),
    "ce_partitionkey": (True, UUID, "the community, which is the record's key too"),
    "ce_lifangposition": (True, PLACE, "the place in the topic's order: generation.position.index"),
    "ce_lifangprevious": (True, PLACE, "the place of the community's event before it: shows gaps"),
    "ce_lifangschema": (True, {"type": "string", "pattern": "^[1-9][0-9]*$"}, "the version of the body's shape"),
    "ce_lifangcausedby": (False, {"type": "string"}, "ids of the events that it rests on, space between them"),
    "ce_lifangcorrelation": (False, {"type": "string"}, "the same for everything that one request led to"),
    "ce_traceparent": (False, {"type": "string"}, "W3C Trace Context"),
    "ce_lifangrequestedat": (False, MOMENT, "when the first service recorded the request behind it"),
    "ce_lifangoccurredat": (False, MOMENT, "what the device or person claims; nothing is ordered by it"),
}
"""By name: whether every record has it, its schema, what it says. What writes them: libs/eventkit/envelope.py."""


def ref(*parts: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(parts)}


def headers() -> dict[str, Any]:
    return {
        "type": "object", "description": "CloudEvents 1.0 in binary mode (Kafka protocol binding). Others may be added.",
        "required": [name for name, (needed, _, _) in HEADERS.items() if needed],
        "properties": {name: of | ({"description": text} if text else {}) for name, (_, of, text) in HEADERS.items()}}


def message(service: str, contract: type[Struct]) -> dict[str, Any]:
    name, version = tag_of(contract), version_of(contract)
    golden = json.loads(golden_path(f"public/{service}", contract, version).read_text())
    own = {
        "ce_type": {"const": name}, "ce_source": {"const": f"/lifang/{service}"}, "ce_lifangschema": {"const": str(version)}}
    return {
        "name": name, "title": contract.__name__, "summary": (inspect.getdoc(contract) or "").partition("\n")[0],
        "contentType": "application/json",
        "headers": {"type": "object", "allOf": [ref("components", "schemas", "Headers"), {"properties": own}]},
        "payload": ref("components", "schemas", contract.__name__),
        "bindings": {"kafka": {"key": UUID | {"description": "the community"}, "bindingVersion": "0.5.0"}},
        "examples": [{"name": f"golden-v{version}", "payload": golden}]}


def keys_message() -> dict[str, Any]:
    return {
        "name": "key", "title": "Key", "contentType": "application/json",
        "summary": "The key of a subject and purpose, wrapped by a key-encryption key; without `wrapped` once it is erased.",
        "payload": ref("components", "schemas", "KeyRecord"),
        "bindings": {"kafka": {"key": UUID | {"description": "the key's id"}, "bindingVersion": "0.5.0"}}}


def channel(name: str, messages: list[str], what: str, **topic: Any) -> dict[str, Any]:
    within = {} if "." in name else {"parameters": {"prefix": ref("components", "parameters", "prefix")}}
    return {
        "address": f"{name}.v1" if "." in name else f"{{prefix}}.{name}.v1", "title": name, "description": what, **within,
        "messages": {m: ref("components", "messages", m) for m in messages},
        "bindings": {"kafka": {"partitions": PARTITIONS, "bindingVersion": "0.5.0"} | topic}}


def channels() -> dict[str, Any]:
    what = (
        f"What {{}} says, in the order of its log within a community; a record's body has at most {LARGEST} bytes."
        " Kept for a month: `lifang republish` says everything again.")
    topics = {service.name: service.topic or service.name for service in services()}
    found = {name: channel(topics[name], [tag_of(c) for c in said], what.format(name)) for name, said in PUBLISHES.items()}
    return found | {"keys": channel(
        "keys", ["key"], "Keys of personal data, the latest of each.", topicConfiguration={"cleanup.policy": ["compact"]})}


def operation(service: str, action: str, channel: str, messages: list[str], summary: str) -> dict[str, Any]:
    return {
        "action": action, "channel": ref("channels", channel), "summary": summary, "tags": [{"name": service}],
        "messages": [ref("channels", channel, "messages", m) for m in messages]}


def operations(service: Service) -> dict[str, Any]:
    """What a service says and hears, as its main.py declares it."""
    name, found = service.name, {}
    if service.publish is not None:
        said = [tag_of(c) for c in PUBLISHES[name]]
        found[f"{name}.send"] = operation(name, "send", name, said, f"{name} says what it decided")
        found[f"{name}.send.keys"] = operation(name, "send", "keys", ["key"], f"{name} passes on the keys of what it seals")
    for source in service.hears:
        known = [tag_of(c) for c in PUBLISHES[source] if c in service.contracts]
        found[f"{name}.receive.{source}"] = operation(name, "receive", source, known, f"{name} hears {source}")
    if service.hears:
        found[f"{name}.receive.keys"] = operation(name, "receive", "keys", ["key"], f"{name} takes the keys of what it may open")
    return found


def document() -> dict[str, Any]:
    found = list(services())
    messages = {tag_of(c): message(service, c) for service, contracts in PUBLISHES.items() for c in contracts}
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Lifang", "version": "1",
            "description":
                "Public events of every service. Generated from `libs/contracts` by `python -m cli.streams`; do not edit. A JSON"
                " Schema for each event: `docs/schemas`. An event only ever gains fields that have a default; readers skip what"
                " they do not know."},
        "defaultContentType": "application/json",
        "servers": {"kafka": {
            "host": "{bootstrap}", "protocol": "kafka", "variables": {"bootstrap": {"default": "127.0.0.1:9092"}},
            "description": "The brokers of KAFKA_BOOTSTRAP_SERVERS; `lifang up` chooses a port, `lifang status` tells it.",
            "security": [{"$ref": "#/components/securitySchemes/user"}]}},
        "channels": channels(),
        "operations": {k: v for service in found for k, v in operations(service).items()},
        "components": {
            "securitySchemes": {"user": {"type": "scramSha512", "description": USERS}},
            "parameters": {"prefix": {"default": "lifang", "description": "LIFANG_TOPIC_PREFIX"}},
            "messages": messages | {"key": keys_message()},
            "schemas": {"Headers": headers()} | components() | _key_record()}}


def _key_record() -> dict[str, Any]:
    found = msgspec.json.schema_components([KeyRecord], ref_template="#/components/schemas/{name}")[1]
    return {name: {**schema, "description": inspect.cleandoc(schema["description"])} for name, schema in found.items()}


class _Plain(yaml.SafeDumper):
    """No anchors: a reader of the document need not follow them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def text() -> str:
    """The document as it has to be."""
    return yaml.dump(document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)
