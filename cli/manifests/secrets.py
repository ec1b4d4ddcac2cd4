"""Which file of which Secret each container has: in a directory of its own, no more than it needs.

Also where no YAML can be written: the job that makes Secrets runs in an image."""

from typing import Any

from cli.providing import holders
from cli.stack.kafka_rules import KEEPER

Object = dict[str, Any]
KEPT, KAFKA_USERS = "keys", "kafka-users"
"""The Secrets that hold keys, and the passwords of Kafka's users."""
READABLE = 0o440
ROLES = {"owner": "password", "log": "log", "read": "read"}
"""By role, the key of its password in the Secret of a service's database; the owner's as a Secret of type basic-auth has it."""


def database_secret(service: str) -> str:
    return f"{service}-db"


def of_service(service: str) -> list[str]:
    return [name for name in holders.of_service(service) if name != holders.DEMO]


def of_api(service: str) -> list[str]:
    """It does not speak to Kafka."""
    return [name for name in of_service(service) if name != f"kafka-{service}"]


def of_keeper(service: str) -> list[str]:
    return [f"kafka-{KEEPER}", f"db-{service}-log"]


def of_migration(service: str) -> list[str]:
    return list(holders.of_migration(service))


def of_operation(service: str) -> list[str]:
    return [name for name in holders.of_operations(service) if name != holders.DEMO]


CONTAINERS = {
    "api": of_api, "panels": of_api, "worker": of_service, "relay": of_service, "keeper": of_keeper, "migrate": of_migration,
    "operation": of_operation}
"""By component."""


CERTIFIED = ("worker", "relay", "keeper", "operation")
"""Components that speak to Kafka: with Strimzi by a certificate."""


def certificates(service: str, component: str) -> list[Object]:
    """Sources of the certificates by which its Kafka users are known, as Strimzi makes them, and of whom to believe."""
    users = {"keeper": [KEEPER], "operation": [KEEPER, service]}.get(component, [service])
    found: list[Object] = [{"secret": {
        "name": user, "items": [{"key": f"user.{end}", "path": f"kafka-{user}.{end}"} for end in ("crt", "key")]}} for user in users]
    return [*found, {"secret": {"name": "kafka-cluster-ca-cert", "items": [{"key": "ca.crt", "path": "kafka-ca.crt"}]}}]


def source(file: str) -> tuple[str, str]:
    """The Secret, and the key in it, that a file comes from."""
    kind, _, rest = file.partition("-")
    if file == holders.SERVER:
        return "postgres", file
    if kind == "kafka":
        return KAFKA_USERS, file
    if kind == "db":
        service, _, role = rest.rpartition("-")
        return database_secret(service), ROLES[role]
    return (file, file) if file == holders.DEMO else (KEPT, file)


def volumes(files: list[str]) -> list[Object]:
    """The directory of secrets, Kafka's passwords first (certificates come in their place), and the one place that can be written."""
    by_secret: dict[str, list[Any]] = {}
    for file in sorted(files, key=lambda name: not name.startswith("kafka-")):
        name, key = source(file)
        by_secret.setdefault(name, []).append({"key": key, "path": file})
    sources = [{"secret": {"name": name, "items": items}} for name, items in by_secret.items()]
    return [
        {"name": "secrets", "projected": {"defaultMode": READABLE, "sources": sources}},
        {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}}]
