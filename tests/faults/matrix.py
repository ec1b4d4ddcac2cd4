"""What is broken on purpose, what must hold all the same, and the broken twin that must not get away with it.

Tests name a row by its `name`: `@pytest.mark.fault(row=…, invariants=…)`, their twins `@pytest.mark.twin(row=…, caught_by=…)`.
"""

from msgspec import Struct

INVARIANTS = {
    "I1": "an acknowledged command is never lost",
    "I2": "an unknown outcome has 0 or 1 effect, and a retry with the same key gets the same answer",
    "I3": "what was published is what the topic holds, and positions run 1…n",
    "I4": "every decision and every view change takes effect once; a device is told at most once",
    "I5": "every view equals the fold of its log, byte for byte",
    "I6": "order per stream and per community",
    "I7": "a late, replayed or doubled door command opens nothing",
    "I8": "an alarm stays raised until a named person acknowledges it",
    "I9": "from an alarm's coming in to its subscribers 2 s at the 99th percentile; drained 10 s after all is well again",
    "I10": "a changed, missing or cut-off event in sealed history is found and located",
    "I11": "no answer and no message carries a foreign community",
    "I12": "poison parks one key, and damages in a view one community; the rest moves; retry restores I5",
    "I13": "told to end: exit code 0 in its grace, no failed request",
    "I14": "/livez stays 200 while database or broker are down; nothing restarts",
}


class Row(Struct, frozen=True):
    """`missing`: why nothing tests it, where nothing does."""

    name: str
    fault: str
    invariants: str
    twin: str
    missing: str = ""


ROWS = (
    Row("kill-api", "kill -9 an API mid-request", "I1 I2", "answers before commit"),
    Row("kill-relay", "kill -9 relay between publish and checkpoint", "I3 I4 I6", "checkpoint first"),
    Row("kill-reader", "kill -9 listener or view writer between rows and mark", "I4 I5", "mark first"),
    Row("kill-effect", "kill -9 between a device, a deadline or a reaction and the log", "I4 I7", "called before it is recorded"),
    Row("kill-postgresql", "kill -9 PostgreSQL; `synchronous_commit=on` asserted at start", "I1 I5", "asynchronous commit"),
    Row("kill-kafka", "kill -9 Kafka; no leader for longer than the request timeout, straight after a producer restart", "I3 I6",
        "acks=1; second batch sent before the first is acknowledged"),
    Row("kafka-wiped", "Kafka wiped and republished from the logs; a record deleted from a topic",
        "I3 I4 I5 I6, the missing range named", "topic taken for the truth; mark without `previous`; offsets that nobody looks at"),
    Row("kafka-away-at-the-door", "Kafka away for a minute with a car at the barrier and a person at the door",
        "I7: nothing opens late", "time to live from the last hop"),
    Row("restored-twice", "the same backup restored twice; `restored` forgotten", "relay refuses to publish and says why",
        "generation kept only in the database"),
    Row("all-restored", "every service put back to one backup, with barriers lifted and a fire since",
        "I4 I5 I10 I12: nobody waits for what was lost", "an order that is not there is waited for"),
    Row("twelve-writers", "12 writers in several processes with think time", "I3 I6", "position from a sequence without the lock"),
    Row("long-transaction", "long write transaction, `CREATE INDEX`, dump running", "I9 unaffected; timeouts end it",
        "tail gated by snapshot"),
    Row("database-partition", "partition API–database (blackhole, refuse, drop the reply, told of the end and not ended)", "I1 I2 I14",
        "retry without key; an end that nobody foresaw"),
    Row("kafka-partition", "partition to Kafka for 60 s", "commands still accepted; I3 I9", "publish inside the request"),
    Row("stuck", "a loop, a consumer or an acknowledgement that stands still for ever",
        "I3 I4: given up after its bound; I14: and nothing else is", "no bound; an absent broker or database taken for one"),
    Row("slow-link", "slow link, one byte at a time", "no pool exhaustion", "no timeouts"),
    Row("stopped-listener", "SIGSTOP a listener past its session, then CONT", "I4 I5", "mark read outside the transaction"),
    Row("rebalance-storm", "rebalance storm", "I4 I5 I6", "in-memory dedup"),
    Row("clock", "clock ±1 h, backwards 10 s", "tokens refused outside ±60 s; I6", "ordering by wall clock"),
    Row("disk-full", "disk full", "I1, clean 503, resumes", "swallowed error"),
    Row("poison", "poison: bad JSON, unknown type, unknown version, 1 MB, null", "I12", "endless retry; drop"),
    Row("duplicates", "duplicates ×5, reorder, yesterday's replay", "I4 I5 I6 I7", "last-id dedup"),
    Row("parallel", "50 parallel same key; 50 parallel on one aggregate", "I2; one winner per version", "read, then write"),
    Row("rolling-restart", "rolling restart of everything under load", "I4 I13", "random member id"),
    Row("tampered", "byte flipped, row deleted, tail cut in the log", "I10", "chain without an outside anchor"),
    Row("restored", "source restored to yesterday, then `lifang restored`; listener restored likewise",
        "I1 to target, nothing new dropped, lost events listed, I5; erased people stay erased",
        "mark without generation; restore that brings keys back"),
    Row("webhook", "webhook subscriber: 500, timeout, slow-loris, back after 1 h", "each event at least once (I3), in order (I6), isolated",
        "shared queue; position moved before the delivery"),
    Row("offline-gate", "gate offline 24 h with a wrong clock", "I7 I8, merged once", "device time trusted"),
    Row("alarm-storm", "alarm storm, 1,000 in 1 s, slow subscriber", "I8 I9, bounded memory", "drop-oldest queue"),
    Row("kill-panel-listener", "kill -9 of a process under a panel that waits for its ACK (DC-09)",
        "I8: one event for what was said twice, ACK only after commit", "acknowledged before it is stored"),
    Row("kill-keeper", "kill -9 the keeper between seal, file, topic and a page of retention", "I10, nothing stuck",
        "known outside before it is sealed; head written in place; blanked, then said"),
    Row("kill-erasure", "kill -9 in the middle of an erasure", "I4 I5, what is erased stays erased", "key destroyed before it is said"),
)
NAMED = {row.name: row for row in ROWS}
