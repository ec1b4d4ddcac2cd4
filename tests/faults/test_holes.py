"""A topic that has lost what it held: all of it, or one record in the middle."""

import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from uuid import UUID

import pytest
from msgspec.structs import replace

from cli.operate import operate
from libs.eventkit.envelope import read
from libs.eventkit.recorded import Number
from libs.eventkit.service import App
from tests.eventkit.topics import Message
from tests.eventkit.writers import patch_function
from tests.faults.checker import Broken, check, gather, quiet
from tests.faults.conftest import Scene
from tests.faults.findings import Finding, settle
from tests.faults.restoring import echo_backup
from tests.kit import until
from tests.toy.main import ECHO, TOY

SceneOf = Callable[..., Awaitable[Scene]]
GAPS = "select community_id, upto_generation, upto_position, upto_n from gaps"


async def a_record_is_gone(scene: Scene, twin: Mapping[str, str] | None = None) -> None:
    """Before a listener has heard it: the range is named, its community waits, the others go on, and `republish` mends it."""
    await scene.toy.start()
    before = await echo_backup(scene)
    await scene.load.run(timeless=True)
    await scene.load.last_words()
    await quiet(scene.pool, scene.echo)
    await scene.toy.stop(signal.SIGTERM)
    messages = await scene.topic.records()
    community = Counter(m.community_id for m in messages).most_common(1)[0][0]
    gone = [m for m in messages if m.community_id == community][1]
    await before.put_back()
    await operate(App(ECHO, scene.toy.echo), "restored", [])
    if twin:  # only now: what is put back is migrated
        await patch_function(scene.toy.echo, "hear_batch", twin)
    await scene.topic.wipe()
    await scene.topic.put(*(m for m in messages if m is not gone))
    await scene.toy.start()
    await until(lambda: _others_are_there(scene, community))
    settle(await _named(scene, community, gone), scene.tally)
    lying = Counter(partition for partition, _ in await scene.topic.lying())
    await operate(App(TOY, scene.toy.settings), "republish", [])
    await until(lambda: scene.echo.fetchval("select count(*) = 0 from gaps"))
    await scene.load.last_words()
    facts, seen = await gather(scene.pool, scene.echo, scene.topic, scene.toy, scene.load), Counter[int]()
    whole = []
    for partition, heard in facts.topic:
        seen[partition] += 1
        if seen[partition] > lying[partition]:
            whole.append((partition, heard))
    check(replace(facts, topic=whole), scene.tally)


async def _others_are_there(scene: Scene, community: UUID) -> bool:
    said = {r[0]: Number(*r[1:]) for r in await scene.pool.fetch("select community_id, generation, position, n from published")}
    heard = {r[0]: Number(*r[1:]) for r in await scene.echo.fetch("select community_id, generation, position, n from marks")}
    return all(heard.get(c) == number for c, number in said.items() if c != community) and (
        heard.get(community) == said[community] or bool(await scene.echo.fetch(GAPS)))


async def _named(scene: Scene, community: UUID, gone: Message) -> Iterator[Finding]:
    found = {r[0]: Number(*r[1:]) for r in await scene.echo.fetch(GAPS)}
    number = read(gone.headers, gone.body).number
    wrong = Finding("I3", f"{number} of {community} is missing, named are {found}", lost=1)
    return iter([] if found == {community: number} else [wrong])


@pytest.mark.fault(row="kafka-wiped", invariants="I3 I4 I5 I6")
async def test_a_record_that_is_gone_from_the_topic_is_named_and_told_again(scene_of: SceneOf):
    await a_record_is_gone(await scene_of())


@pytest.mark.twin(row="kafka-wiped", caught_by="I3")
async def test_twin_whose_mark_looks_at_nothing_before_it_is_caught(scene_of: SceneOf):
    scene = await scene_of()
    with pytest.raises(Broken) as broken:
        await a_record_is_gone(scene, {r"elsif \(r_previous_generation.*?then": "elsif false then"})
    assert broken.value.invariant == "I3"


@pytest.mark.twin(row="kafka-wiped", caught_by="I3")
async def test_twin_that_takes_the_topic_for_the_truth_is_caught(scene_of: SceneOf):
    """It goes on behind an empty topic, and nobody is asked to republish."""
    scene = await scene_of("does_not_look")
    await scene.toy.start()
    await scene.load.run()
    await quiet(scene.pool, scene.echo)
    await scene.toy.stop(signal.SIGTERM)
    await scene.topic.wipe()
    await scene.toy.start()
    await scene.load.last_words()
    with pytest.raises(Broken) as broken:
        await scene.check()
    assert broken.value.invariant == "I3"
