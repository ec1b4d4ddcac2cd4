"""One attempt over TLS: the connection goes to the address that was looked at, the certificate is that of the name."""

import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.gateway.webhooks.address import place_of
from services.gateway.webhooks.answers import Answer
from services.gateway.webhooks.sending import Bounds, Sender
from tests.integration.receiver import Receiver

NAME = "receiver.example"


def certificate(place: Path) -> Path:
    """Signed by itself, for that name."""
    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256()))
    path = place / "receiver"
    path.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
async def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Receiver, ssl.SSLContext]]:
    path, real = certificate(tmp_path), socket.getaddrinfo
    served, trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=str(path))
    served.load_cert_chain(path)

    def looked_up(host: Any, *more: Any, **named: Any) -> Any:
        return real("127.0.0.1" if str(host).endswith(".example") else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    found = Receiver()
    await found.opens(served)
    yield found, trusted
    await found.closes()


async def sent(url: str, verify: ssl.SSLContext | bool, private: bool = True) -> str:
    async with Sender(Bounds(connect=2, whole=2), private, verify) as sender:
        return (await sender.send(place_of(url, True), b"{}", {"webhook-id": "1"})).code


async def test_the_certificate_has_to_be_that_of_the_name(receiver: tuple[Receiver, ssl.SSLContext]) -> None:
    server, trusted = receiver
    assert await sent(f"https://{NAME}:{server.port}/x?y=1", trusted) == ""
    (got,) = server.got
    assert (got.headers["host"], got.path, got.body) == (f"{NAME}:{server.port}", "/x?y=1", b"{}")
    assert await sent(f"https://other.example:{server.port}/", trusted) == "tls_failed"
    assert await sent(f"https://127.0.0.1:{server.port}/", trusted) == "tls_failed"
    assert await sent(f"https://{NAME}:{server.port}/", True) == "tls_failed", "nobody whom the system trusts has signed it"
    assert len(server.got) == 1


async def test_what_is_looked_up_decides_and_not_what_was(
    receiver: tuple[Receiver, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, trusted = receiver
    assert await sent(f"https://{NAME}:{server.port}/", trusted, private=False) == "address_refused"
    real, asked = socket.getaddrinfo, list[str]()

    def rebinding(host: Any, *more: Any, **named: Any) -> Any:
        """The second time it is another address."""
        if host == NAME:
            asked.append(host)
        return real("127.0.0.1" if len(asked) < 2 else "127.0.0.2", *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    assert await sent(f"https://{NAME}:{server.port}/", trusted) == ""
    assert asked == [NAME], "looked up once: whoever is connected to is whoever was looked at"


@pytest.mark.parametrize("status", [200, 204])
async def test_a_connection_is_kept_and_a_redirect_not_followed(receiver: tuple[Receiver, ssl.SSLContext], status: int) -> None:
    server, trusted = receiver
    server.answer = lambda got: status
    place = place_of(f"https://{NAME}:{server.port}/", True)
    async with Sender(Bounds(connect=2, whole=2), True, trusted) as sender:
        assert [await sender.send(place, b"{}", {}) for _ in range(3)] == [Answer()] * 3
        assert server.connections == 1
        server.answer = lambda got: 302
        assert await sender.send(place, b"{}", {}) == Answer("http_302")
    assert len(server.got) == 4, "nobody went where it pointed"


async def test_how_long_it_asks_to_be_left_alone_is_part_of_its_answer(receiver: tuple[Receiver, ssl.SSLContext]) -> None:
    server, trusted = receiver
    server.answer, server.retry_after = lambda got: 503, "120"
    async with Sender(Bounds(connect=2, whole=2), True, trusted) as sender:
        assert await sender.send(place_of(f"https://{NAME}:{server.port}/", True), b"{}", {}) == Answer("http_503", 120.0)
