"""The secrets of a local stack: random, made once, readable by us alone."""

import os
import secrets
from base64 import urlsafe_b64encode

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
    for name in KEYS:
        write(place, name, urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="))
    for name in WORDS:
        write(place, name, secrets.token_urlsafe(18))
    for name in HEX:
        write(place, name, secrets.token_hex(16).upper())


def write(place: Place, name: str, value: str) -> None:
    """Whole or not at all, and never over one that is there: a lost key is lost data."""
    path = place.secrets / name
    if path.exists():
        return
    beside = path.with_name(f".{name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(value + "\n")
    beside.rename(path)


def read(place: Place, name: str) -> str:
    """Raises FileNotFoundError while nothing has been started here."""
    return (place.secrets / name).read_text().strip()
