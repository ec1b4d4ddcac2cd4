"""The two places outside a log, for one test."""

from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from cli.keeper.heads import Outside, kept, told
from cli.migrating.topics import SEALS
from libs.eventkit.envelope import PARTITIONS
from libs.eventkit.service import App


async def outside_of(app: App, directory: Path) -> Outside:
    """A directory and a topic of the test's own, both empty."""
    outside = Outside(directory, app.settings.broker, app.settings.topic("seals"))
    admin = AIOKafkaAdminClient(**outside.broker)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(outside.topic, PARTITIONS, 1, topic_configs=SEALS)])
    finally:
        await admin.close()
    return outside


async def is_anchored(app: App, outside: Outside) -> bool:
    """The newest event is sealed, and both places know it."""
    last = await app.log.last()
    file, topic = kept(outside.directory, app.service.name), await told(outside, app.service.name)
    return bool(file and topic) and file[-1].upto == topic[-1].upto == last
