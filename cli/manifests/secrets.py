"""Which file of which Secret each container has: in a directory of its own, no more than it needs."""

from typing import Any

from cli.manifests.plain import Object

KEYS = {
    "identity": ("signing-seed", "kek-contact", "kek-id-number", "kek-plate"),
    "access": ("visitor-qr-seed", "kek-credential"),
    "devices": ("kek-device-raw", "kek-credential", "kek-plate", "device-password", "dc09-key"),
    "parking": ("payment-local", "kek-plate", "kek-credential"),
    "alarm": (),
    "neighbors": ("kek-neighbor", "kek-contact"),
    "gateway": ("kek-webhook", "kek-contact", "kek-plate", "kek-credential"),
}
"""Of a service alone; each has `blind-index` too."""
TO_BE_MADE = {"access": ("visitor-qr-seed",)}
"""What its code asks for before it serves: also of its migration and its keeper."""
KEPT, KAFKA_USERS = "keys", "kafka-users"
"""The Secrets that hold keys, and the passwords of Kafka's users."""
READABLE = 0o440
ROLES = {"owner": "password", "log": "log", "read": "read"}
"""By role, the key of its password in the Secret of a service's database; the owner's as a Secret of type basic-auth has it."""


def database_secret(service: str) -> str:
    return f"{service}-db"


def of_api(service: str) -> list[str]:
    return ["blind-index", *KEYS[service], f"db-{service}-log", f"db-{service}-read"]


def of_service(service: str) -> list[str]:
    return [f"kafka-{service}", *of_api(service)]


def of_migration(service: str) -> list[str]:
    return ["blind-index", *TO_BE_MADE.get(service, ()), *(f"db-{service}-{role}" for role in ROLES)]


def of_keeper(service: str) -> list[str]:
    return ["kafka-keeper", "blind-index", *TO_BE_MADE.get(service, ()), f"db-{service}-log"]


def of_operation(service: str) -> list[str]:
    return list(dict.fromkeys(["kafka-keeper", *of_service(service), *of_migration(service)]))


CONTAINERS = {
    "api": of_api, "panels": of_api, "worker": of_service, "relay": of_service, "keeper": of_keeper, "migrate": of_migration,
    "operation": of_operation}
"""By component."""


CERTIFIED = ("worker", "relay", "keeper", "operation")
"""Components that speak to Kafka: with Strimzi by a certificate."""
DATABASES = ["db-postgres", *(f"db-{service}-{role}" for service in KEYS for role in ROLES)]
"""What databases are made with."""
USERS = [f"kafka-{user}" for user in (*KEYS, "keeper", "admin")]
"""What Kafka's users are made with."""


def certificates(service: str, component: str) -> list[Object]:
    """Sources of the certificates by which its Kafka users are known, as Strimzi makes them, and of whom to believe."""
    users = {"keeper": ["keeper"], "operation": ["keeper", service]}.get(component, [service])
    found: list[Object] = [{"secret": {
        "name": user, "items": [{"key": f"user.{end}", "path": f"kafka-{user}.{end}"} for end in ("crt", "key")]}} for user in users]
    return [*found, {"secret": {"name": "kafka-cluster-ca-cert", "items": [{"key": "ca.crt", "path": "kafka-ca.crt"}]}}]


def source(file: str) -> tuple[str, str]:
    """The Secret, and the key in it, that a file comes from."""
    kind, _, rest = file.partition("-")
    if file == "db-postgres":
        return "postgres", file
    if kind == "kafka":
        return KAFKA_USERS, file
    if kind == "db":
        service, _, role = rest.rpartition("-")
        return database_secret(service), ROLES[role]
    return ("demo", "demo") if file == "demo" else (KEPT, file)


def volumes(files: list[str]) -> list[Object]:
    """The directory of secrets and the one place that can be written."""
    by_secret: dict[str, list[Any]] = {}
    for file in files:
        name, key = source(file)
        by_secret.setdefault(name, []).append({"key": key, "path": file})
    sources = [{"secret": {"name": name, "items": items}} for name, items in by_secret.items()]
    return [
        {"name": "secrets", "projected": {"defaultMode": READABLE, "sources": sources}},
        {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}}]
