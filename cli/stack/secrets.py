"""The secrets of a local stack: random, made once, readable by us alone."""

import os
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path

from cli.place import Place
from cli.stack.kafka_rules import ADMIN, KEEPER
from libs.contracts.topics import TOPICS

KEYS = (
    "kek-contact", "kek-credential", "kek-device-raw", "kek-id-number", "kek-neighbor", "kek-plate", "kek-webhook", "blind-index",
    "signing-seed", "visitor-qr-seed")
WORDS = ("demo", "device-password", "payment-local", *(f"kafka-{user}" for user in (*TOPICS, KEEPER, ADMIN)))
HEX = ("dc09-key",)
"""AES keys of 128 bits, in the form in which alarm panels take them."""


def ensure(place: Place) -> None:
    for name in (*KEYS, *WORDS, *HEX):
        write(place, name, fresh(name))


def fresh(name: str) -> str:
    """Random, of the kind that the name asks for."""
    if name in KEYS:
        return urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    return secrets.token_hex(16).upper() if name in HEX else secrets.token_urlsafe(18)


def write(place: Place, name: str, value: str) -> None:
    """Never over one that is there: a lost key is lost data."""
    if not (path := place.secrets / name).exists():
        put(path, value + "\n")


def put(path: Path, text: str, mode: int = 0o600) -> None:
    """Whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        os.fsync(file.fileno())
    beside.rename(path)


def read(place: Place, name: str) -> str:
    """Raises FileNotFoundError while nothing has been started here."""
    return (place.secrets / name).read_text().strip()
