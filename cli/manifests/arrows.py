"""Who may speak to whom, as the architecture has it: what contracts say of Kafka, the gateway's six ways, each service's own data."""

from libs.contracts.topics import HEARS, TOPICS

SERVICES = tuple(TOPICS)
FORWARDED = ("identity", "access", "devices", "parking", "alarm", "neighbors")
"""Whom the gateway passes a person's request on to; of an order to a device, devices hears from the order's owner."""
HTTP, POSTGRES, KAFKA, PANELS = 8080, 5432, 9092, 8130

NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"
ANSWERING = ("api", "all")
"""Components that answer HTTP; `all`: one process for everything."""
SPEAKING = ("worker", "relay", "keeper", "operation", "all")
"""Components that hear from Kafka or tell it something."""
STORING = ("api", "worker", "relay", "keeper", "migrate", "operation", "panels", "all")
"""Components that speak to their service's database: all there are."""
REACHING = ("api", "worker", "relay", "panels", "all")
"""Components of devices that speak to devices: orders, alert streams; a task runs in any of them, by a lease."""
SENDING = ("worker", "all")
"""Components of the gateway that call webhooks."""
BROKER = {"kafka": "broker"}
"""The label of pods that are Kafka, whatever runs it."""
DEVICE_NETWORK = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
"""Where devices may be; an overlay that knows better says so."""
OURSELVES = (*DEVICE_NETWORK, "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8")
"""What a webhook never points to."""


def database_of(service: str) -> dict[str, str]:
    """The label of pods that hold its database: one server may hold several."""
    return {f"database-{service}": "server"}


def speaks_to_kafka(service: str) -> bool:
    return bool(HEARS[service]) or service in TOPICS
