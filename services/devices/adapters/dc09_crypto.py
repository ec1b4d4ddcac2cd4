"""The encryption of SIA DC-09: AES-CBC with a zero vector, in hex, over everything after the `[` with pad characters before it."""

import secrets
import string

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 16
_PAD = string.ascii_letters + string.digits
"""Anything but brackets and the bar may pad."""


def key_of(text: str) -> bytes:
    """A key of 128, 192 or 256 bits from its hex digits. Raises ValueError, which does not quote it."""
    digits = text.strip()
    if len(digits) not in (32, 48, 64) or not all(digit in string.hexdigits for digit in digits):
        raise ValueError("not 32, 48 or 64 hex digits")
    return bytes.fromhex(digits)


def encrypt(key: bytes, content: bytes) -> bytes:
    """Hex digits of the content with its pad: one to sixteen characters."""
    pad = "".join(secrets.choice(_PAD) for _ in range(BLOCK - len(content) % BLOCK))
    return _apply(key, pad.encode() + content, opening=False).hex().upper().encode()


def decrypt(key: bytes, digits: bytes) -> bytes:
    """Pad and content. Raises ValueError for what is no such box; a wrong key gives nonsense."""
    box = bytes.fromhex(digits.decode("ascii"))
    if not box or len(box) % BLOCK:
        raise ValueError("not in blocks")
    return _apply(key, box, opening=True)


def _apply(key: bytes, content: bytes, opening: bool) -> bytes:
    cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(BLOCK)))
    work = cipher.decryptor() if opening else cipher.encryptor()
    return work.update(content) + work.finalize()
