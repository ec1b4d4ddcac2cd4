"""Keys travel wrapped on one compacted topic; the events that say so hold the key's id alone."""
import asyncio
from collections.abc import Sequence
from uuid import UUID
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from libs.eventkit import envelope, privacy, recorded, tail
from libs.eventkit.settings import Settings

class KeyCreated(msgspec.Struct, frozen=True, tag="key_created"):
    """A key exists for a subject and purpose; the relay sends it ahead of whatever needs it."""
    key_id: UUID
class KeyErased(msgspec.Struct, frozen=True, tag="key_erased"):
    """The key is gone for good; the relay sends its tombstone."""
    key_id: UUID
KEY_EVENTS, BOUND = (KeyCreated, KeyErased), 60.0  # seconds for which the topic may say nothing at all
_NAMES = {recorded.tag_of(t) for t in KEY_EVENTS}
async def announce(settings: Settings, keyring: privacy.KeyRing, producer: AIOKafkaProducer, rows: Sequence[recorded.Recorded]) -> None:
    """Sends the keys that these rows speak of, where they are not blanked (nothing is told then), and awaits the acknowledgements."""
    for row in rows:
        if row.source is None and row.type in _NAMES and row.meta.retired is None:
            key_id = msgspec.json.decode(row.data, type=dict[str, str])["key_id"]
            if (record := await keyring.record(UUID(key_id))) is not None:
                if row.type == recorded.tag_of(KeyErased):  # it may not be destroyed yet
                    record = msgspec.structs.replace(record, wrapped=None)
                topic, partition = settings.topic("keys"), envelope.partition_of(row.community_id)
                await producer.send_and_wait(topic, msgspec.json.encode(record), key_id.encode(), partition)
async def hear_keys(settings: Settings, keyring: privacy.KeyRing, heard: asyncio.Event) -> None:
    """Takes every key of the topic, without a group, for ever: compacted, it is short. `heard`: it was read to the end that it had."""
    consumer = AIOKafkaConsumer(**settings.broker, enable_auto_commit=False, auto_offset_reset="earliest",
                                fetch_max_wait_ms=5000, consumer_timeout_ms=5000, client_id=f"{settings.service}-keys")
    try:
        await tail.within(consumer.start(), BOUND)
        consumer._fetcher._prefetch_backoff = BOUND  # as in `hear`
        ends = await consumer.end_offsets([TopicPartition(settings.topic("keys"), p) for p in range(envelope.PARTITIONS)])
        consumer.assign([*ends])  # only now: a question waits behind a fetch
        while True:
            if not heard.is_set() and all([await tail.within(consumer.position(tp), BOUND) >= end for tp, end in ends.items()]):
                heard.set()
            for fetched in (await tail.within(consumer.getmany(timeout_ms=5000), BOUND)).values():
                told = (msgspec.json.decode(r.value, type=privacy.KeyRecord) for r in fetched if r.value)  # the last of each, or its end
                for record in await keyring.news([*{r.key_id: r for r in sorted(told, key=lambda r: r.wrapped is None)}.values()]):
                    await keyring.store(record)
    finally:
        await tail.within(consumer.stop(), 5)
