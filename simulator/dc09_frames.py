"""What an alarm panel writes and reads: SIA DC-09 frames with Ademco Contact ID or SIA DC-03 in them, encrypted where it has a key."""

import re
import secrets
import string
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from msgspec import Struct

Protocol = Literal["contact_id", "sia"]
NO_ANSWER, TIME = "none", "%H:%M:%S,%m-%d-%Y"
_ANSWER = re.compile(rb'\n[0-9A-F]{8}"\*?(ACK|NAK|DUH)"([0-9]{4})[^\r]*\r')


class Signal(Struct, frozen=True, kw_only=True):
    """What is to be reported. `code`: Contact ID with its qualifier (`1110`), or the two letters of DC-03. `times`: so many
    reports, one after the other. `at`: when it happened, now where that is not said."""

    code: str
    partition: int = 1
    zone: int = 1
    protocol: Protocol | None = None
    times: int = 1
    at: datetime | None = None
    text: str = ""

    @property
    def data(self) -> tuple[str, str]:
        """The type of frame and what stands in it."""
        protocol = self.protocol or ("sia" if self.code.isalpha() else "contact_id")
        if protocol == "sia":
            return "SIA-DCS", f"Nri{self.partition}/{self.code}{self.zone:03d}{f'^{self.text}^' if self.text else ''}"
        return "ADM-CID", f"{self.code} {self.partition:02d} {self.zone:03d}"


def crc(body: bytes) -> int:
    """CRC-16/ARC, bit by bit."""
    value = 0
    for byte in body:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value


def frame(kind: str, sequence: int, account: str, data: str, at: datetime, key: bytes | None = None) -> bytes:
    """With LF and CR. `data` without account and bar; empty for a link test. Words are in GB18030, as panels here write them.
    `at` is when it happened; an encrypted frame says when it is sent, and the other in a field of its own."""
    inner = f"#{account}|{data}" if data else ""
    if key is not None:
        inner, at = f"{inner}][H{at.astimezone(UTC):{TIME}}" if data else "", datetime.now(UTC)
    rest = f"{inner}]_{at.astimezone(UTC):{TIME}}".encode("gb18030")
    head = f'"{"*" if key else ""}{kind}"{sequence:04d}L0#{account}['.encode()
    body = head + (_sealed(key, b"|" + rest) if key else rest)
    return b"\n%04X%04X%s\r" % (crc(body), len(body), body)


def read_answer(raw: bytes, sequence: int) -> str:
    """ACK, NAK or DUH where the bytes hold the answer to this number (a NAK has none), else none."""
    for kind, number in _ANSWER.findall(raw):
        if kind == b"NAK" or int(number) == sequence:
            return str(kind.decode())
    return NO_ANSWER


def key_from(file: str) -> bytes:
    return bytes.fromhex(Path(file).read_text().strip())


def _sealed(key: bytes, content: bytes) -> bytes:
    pad = "".join(secrets.choice(string.ascii_lowercase) for _ in range(16 - len(content) % 16))
    work = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    return (work.update(pad.encode() + content) + work.finalize()).hex().upper().encode()
