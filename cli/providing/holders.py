"""Who is given which secrets: of every container no more than it needs (deploy/README.md has the same table)."""

from collections.abc import Mapping

from cli.stack.kafka_rules import ADMIN, KEEPER
from libs.contracts.topics import TOPICS

SERVICES = tuple(TOPICS)
OF: Mapping[str, tuple[str, ...]] = {
    "identity": ("signing-seed", "kek-contact", "kek-id-number", "kek-plate"),
    "access": ("visitor-qr-seed", "kek-credential"),
    "devices": ("kek-device-raw", "kek-credential", "kek-plate", "device-password", "dc09-key"),
    "parking": ("payment-local", "kek-plate", "kek-credential"),
    "alarm": (),
    "neighbors": ("kek-neighbor", "kek-contact"),
    "gateway": ("kek-webhook", "kek-contact", "kek-plate", "kek-credential"),
}
"""What a service has beside what each has: a key-encryption key where it seals or opens what is sealed for that purpose."""
SERVER = "db-postgres"
"""Of the database server's own user, `postgres`."""
DEMO = "demo"
SEEDING = frozenset(SERVICES) - {"gateway"}
DESK = (DEMO, "device-password", "dc09-key")


def of_service(service: str) -> tuple[str, ...]:
    demo = (DEMO,) if service in SEEDING else ()
    return ("blind-index", f"kafka-{service}", f"db-{service}-log", f"db-{service}-read", *OF[service], *demo)


def of_migration(service: str) -> tuple[str, ...]:
    return tuple(f"db-{service}-{role}" for role in ("owner", "log", "read"))


def of_operations(service: str) -> tuple[str, ...]:
    """What is done to a service by hand: as the service, as who migrates it, and beside the keeper."""
    return tuple(dict.fromkeys((*of_service(service), *of_migration(service), f"kafka-{KEEPER}")))


def of_keeper() -> tuple[str, ...]:
    return (f"kafka-{KEEPER}", *(f"db-{service}-log" for service in SERVICES))


def of_databases() -> tuple[str, ...]:
    return (SERVER, *(f"db-{service}-{role}" for service in SERVICES for role in ("owner", "log", "read")))


def of_users() -> tuple[str, ...]:
    """Of Kafka."""
    return tuple(f"kafka-{user}" for user in (*SERVICES, KEEPER, ADMIN))


def provision() -> tuple[str, ...]:
    """Of what runs once, ahead of the services: databases, users and topics, migrations."""
    migrations = (name for service in SERVICES for name in of_migration(service))
    return tuple(dict.fromkeys((*of_databases(), *of_users(), *migrations)))


def holders() -> dict[str, tuple[str, ...]]:
    """By the directory that one container of compose, or several alike, are given."""
    return {
        **{service: of_service(service) for service in SERVICES}, KEEPER: of_keeper(), "provision": provision(), "postgres": (SERVER,),
        "desk": DESK, "grafana": ("grafana-admin",)}
