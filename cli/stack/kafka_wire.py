"""What an administrator of Kafka asks that aiokafka has no call for: users and rules. Its own requests, sent as it sends the others."""

import hashlib
import os
from typing import Any

from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactBytes, CompactString, Int8, Int16, Int32, Schema, TaggedFields

SHA_512 = 2
ITERATIONS = 4096
"""The least that Kafka takes; the passwords are random, not remembered."""
SALT = 32
UNKNOWN_USER = 91
ANY = 1
"""In a filter, of resource types, patterns, operations and permissions alike."""
EVERY_RULE = DescribeAclsRequest(ANY, None, ANY, None, None, ANY, ANY)


class AlterScramResponse(Response):  # type: ignore[misc]
    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("results", CompactArray(
            ("user", CompactString("utf-8")), ("error_code", Int16), ("error_message", CompactString("utf-8")), ("tags", TaggedFields))),
        ("tags", TaggedFields))


class AlterScramRequestV0(RequestStruct):  # type: ignore[misc]
    """AlterUserScramCredentials (KIP-554)."""

    API_KEY = 51
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = AlterScramResponse
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields))),
        ("upsertions", CompactArray(
            ("name", CompactString("utf-8")), ("mechanism", Int8), ("iterations", Int32), ("salt", CompactBytes),
            ("salted_password", CompactBytes), ("tags", TaggedFields))),
        ("tags", TaggedFields))


class AlterScram(Request[AlterScramRequestV0]):  # type: ignore[misc]
    """Gives users their passwords (only a salted hash goes out, RFC 5802) and takes others' away."""

    API_KEY = 51

    def __init__(self, passwords: dict[str, str], gone: list[str] | None = None) -> None:
        self._deletions: list[Any] = [(name, SHA_512, {}) for name in gone or ()]
        self._upsertions: list[Any] = [(name, SHA_512, ITERATIONS, *salted(password), {}) for name, password in passwords.items()]

    def build(self, request_struct_class: type[AlterScramRequestV0]) -> AlterScramRequestV0:
        return request_struct_class(self._deletions, self._upsertions, {})


def salted(password: str) -> tuple[bytes, bytes]:
    salt = os.urandom(SALT)
    return salt, hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)


class AddRules(CreateAclsRequest):  # type: ignore[misc]
    """Many at once, each (resource type, name, pattern, principal, host, operation, permission)."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(self._rows)


class DropRules(DeleteAclsRequest):  # type: ignore[misc]
    """The same for those that are to go."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(self._rows)
