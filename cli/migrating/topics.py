"""What each topic is like, and how topics are made: before a service needs them, which makes none itself."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

if TYPE_CHECKING:  # the mechanism's imports would hold up every start of the stack
    from libs.eventkit.settings import Settings

PARTITIONS = 4
MONTH = {"retention.ms": str(30 * 24 * 3600 * 1000)}
KEYS = {"cleanup.policy": "compact", "segment.ms": "3600000", "max.compaction.lag.ms": "86400000"}
"""An erased key is gone within a day."""
SEALS = {"cleanup.policy": "compact", "segment.ms": "600000", "segment.bytes": "8388608", "min.cleanable.dirty.ratio": "0.01"}


def wanted(names: Iterable[str], keys: str, seals: str) -> list[NewTopic]:
    """These and the two, by the names that they have at Kafka."""
    options = dict.fromkeys(names, MONTH) | {keys: KEYS, seals: SEALS}
    return [NewTopic(name, PARTITIONS, 1, topic_configs=how) for name, how in options.items()]


async def ensure_topics(settings: "Settings", names: Iterable[str]) -> None:
    """Those of these services, of keys and of seals, by a user who may; what exists stays as it is, which is no error."""
    admin = AIOKafkaAdminClient(**settings.broker, client_id="topics")
    await admin.start()
    try:
        await admin.create_topics(wanted(map(settings.topic, names), settings.topic("keys"), settings.topic("seals")))
    finally:
        await admin.close()
