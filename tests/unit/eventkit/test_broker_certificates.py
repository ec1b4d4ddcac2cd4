"""Kafka by certificates: a service is known by its own, and speaks to nobody but the broker that its authority vouches for."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from libs.eventkit.settings import Settings

Key = ec.EllipticCurvePrivateKey
HOST = "kafka-kafka-bootstrap"


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def certificate(name: str, key: Key, by: str, by_key: Key, host: str = "") -> bytes:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(named(name)).issuer_name(named(by)).public_key(key.public_key()).serial_number(
        x509.random_serial_number()).not_valid_before(now - timedelta(minutes=1)).not_valid_after(now + timedelta(hours=1)).add_extension(
        x509.BasicConstraints(ca=name == by, path_length=None), critical=True)
    if host:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return made.sign(by_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def written(key: Key) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def authority(place: Path, name: str) -> Path:
    """With a broker's certificate and the one of access, in the files that a service has and those that a broker has."""
    place.mkdir()
    root = ec.generate_private_key(ec.SECP256R1())
    (place / "kafka-ca.crt").write_bytes(certificate(name, root, name, root))
    for file, common, host in (("kafka-access", "access", ""), ("broker", "broker", HOST)):
        key = ec.generate_private_key(ec.SECP256R1())
        (place / f"{file}.crt").write_bytes(certificate(common, key, name, root, host))
        (place / f"{file}.key").write_bytes(written(key))
    return place


def settings(secrets: Path) -> Settings:
    return Settings(service="access", database_url="", kafka_user="access", secrets=secrets)


async def greeted(client: ssl.SSLContext, broker: Path, host: str = HOST) -> str:
    """Who a broker that asks for certificates sees. Raises SSLError or ConnectionError where one of both refuses."""
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(broker / "kafka-ca.crt"))
    server_side.verify_mode = ssl.CERT_REQUIRED
    server_side.load_cert_chain(broker / "broker.crt", broker / "broker.key")

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        subject = dict(pair[0] for pair in writer.get_extra_info("peercert")["subject"])
        writer.write(subject["commonName"].encode() + b"\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=server_side)
    async with server:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", server.sockets[0].getsockname()[1], ssl=client, server_hostname=host)
        try:
            seen = (await reader.readline()).decode().strip()
        finally:
            writer.close()
    if not seen:
        raise ConnectionError("not spoken to")
    return seen


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return authority(tmp_path / "ours", "lifang")


async def test_a_service_is_known_by_its_certificate(ours: Path) -> None:
    broker = settings(ours).broker
    assert broker["security_protocol"] == "SSL" and "sasl_mechanism" not in broker
    assert await greeted(broker["ssl_context"], ours) == "access"


async def test_another_broker_is_not_spoken_to(ours: Path, tmp_path: Path) -> None:
    others = authority(tmp_path / "others", "others")
    with pytest.raises(ssl.SSLError):
        await greeted(settings(ours).broker["ssl_context"], others)
    with pytest.raises(ssl.SSLError):
        await greeted(settings(ours).broker["ssl_context"], ours, "elsewhere")


async def test_without_a_certificate_nobody_is_let_in(ours: Path) -> None:
    nobody = ssl.create_default_context(cafile=str(ours / "kafka-ca.crt"))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await greeted(nobody, ours)


def test_a_password_where_there_is_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "kafka-access").write_text("a word that nobody knows\n")
    broker = settings(tmp_path).broker
    assert (broker["security_protocol"], broker["sasl_plain_username"]) == ("SASL_PLAINTEXT", "access")
    assert settings(tmp_path).model_copy(update={"kafka_user": ""}).broker.keys() == {"bootstrap_servers"}
