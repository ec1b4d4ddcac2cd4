"""A source put back as it was yesterday, and again; a listener likewise; and nobody told them. Nothing new is dropped, what was lost
is listed, no number is given twice, and until that is sure nothing is published."""

import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from cli import generations
from cli.operate import operate
from libs.eventkit.service import App
from tests.eventkit.writers import patch_function
from tests.faults.checker import Broken, quiet
from tests.faults.conftest import Scene
from tests.faults.restoring import check_after_a_loss, echo_backup, lost, says, toy_backup
from tests.kit import until
from tests.toy.main import ECHO, TOY

SceneOf = Callable[..., Awaitable[Scene]]
TOLD = "select position >= (select max(position) from events) from checkpoints where name = 'relay'"


async def put_back(scene: Scene, times: int, looks: bool = True) -> list[dict[str, Any]]:
    """Yesterday's backup, `times` over: each time after others have heard what it does not know."""
    await scene.toy.start()
    await scene.load.run(each=3)
    await quiet(scene.pool, scene.echo)
    backup, kept, found = await toy_backup(scene), dict(scene.load.answered), []
    scene.tally.rounds = times
    for _ in range(times):
        await scene.load.run(each=3, timeless=True)
        await quiet(scene.pool, scene.echo)
        await scene.toy.stop(signal.SIGTERM)
        await backup.put_back()
        scene.load.answered = dict(kept)
        if looks:
            await refused(scene)
        gone = await lost(scene)
        found.append(await operate(App(TOY, scene.toy.settings), "restored", []))
        assert {text.split()[0] for text in found[-1]["beyond"]} == {str(number) for number, _ in gone} and gone
        await scene.toy.start()
    await scene.load.run(each=3, timeless=True)
    await scene.load.last_words()
    await quiet(scene.pool, scene.echo)
    return found


async def refused(scene: Scene) -> None:
    """It says why, takes commands and tells nobody."""
    before = len(await scene.topic.records())
    await scene.toy.start()
    await says(scene, "restored")
    await scene.load.last_words()
    assert len(await scene.topic.records()) == before
    await scene.toy.stop(signal.SIGTERM)


@pytest.mark.fault(row="restored", invariants="I1 I3 I4 I5 I6")
async def test_a_source_restored_to_yesterday_lists_what_it_lost_and_everything_new_is_heard(scene_of: SceneOf):
    scene = await scene_of()
    found = await put_back(scene, 1)
    assert found[0]["generation"] == 2 and found[0]["lost"] == len(found[0]["beyond"])
    await check_after_a_loss(scene)


@pytest.mark.twin(row="restored", caught_by="I4")
async def test_twin_whose_mark_has_no_generation_is_caught(scene_of: SceneOf):
    scene = await scene_of()
    number = r"\(r_generation\[i\], r_position\[i\], r_n\[i\]\) <= \(mark.generation, mark.position, mark.n\)"
    previous = r"\(r_previous_generation\[i\], r_previous_position\[i\], r_previous_n\[i\]\)\s+> \(mark.generation, mark.position, mark.n\)"
    await patch_function(scene.toy.echo, "hear_batch", {
        r"if \(select bool_and": "if false and (select bool_and",  # record by record: there the number is looked at by itself
        number: "(r_position[i], r_n[i]) <= (mark.position, mark.n)",
        previous: "(r_previous_position[i], r_previous_n[i]) > (mark.position, mark.n)"})
    with suppress(Broken):  # it may be that nobody even waits for what was dropped
        await put_back(scene, 1)
    with pytest.raises(Broken) as broken:
        await check_after_a_loss(scene)
    assert broken.value.invariant == "I4"


@pytest.mark.fault(row="restored-twice", invariants="I1 I3 I4 I5 I6")
async def test_the_same_backup_restored_twice_gives_no_number_twice(scene_of: SceneOf):
    scene = await scene_of()
    assert [found["generation"] for found in await put_back(scene, 2)] == [2, 3]
    await check_after_a_loss(scene)


@pytest.mark.twin(row="restored-twice", caught_by="I3")
async def test_twin_that_keeps_its_generation_in_the_database_only_is_caught(scene_of: SceneOf, monkeypatch: pytest.MonkeyPatch):
    real = generations.beyond

    async def beyond(*what: Any) -> generations.Found:
        found = await real(*what)
        return generations.Found(0, found.lost, found.read)

    async def none(app: App) -> int:
        return 0

    monkeypatch.setattr(generations, "beyond", beyond)
    monkeypatch.setattr(generations, "latest_group", none)
    scene = await scene_of("does_not_look")
    with suppress(Broken):
        await put_back(scene, 2, looks=False)
    with pytest.raises(Broken) as broken:
        await check_after_a_loss(scene)
    assert broken.value.invariant == "I3"


async def forgotten(scene: Scene) -> None:
    await scene.toy.start()
    await scene.load.run(each=3, timeless=True)
    await quiet(scene.pool, scene.echo)
    backup, kept = await toy_backup(scene), dict(scene.load.answered)
    await scene.load.run(each=3, timeless=True)
    await quiet(scene.pool, scene.echo)
    await scene.toy.stop(signal.SIGTERM)
    await backup.put_back()
    scene.load.answered = kept
    await scene.toy.start()
    await scene.load.run(each=3, timeless=True)

    async def over() -> bool:
        why = (await scene.toy.http.get("/internal/status")).json()["why"]
        return any("restored" in text for text in why) or bool(await scene.pool.fetchval(TOLD))

    await until(over)


@pytest.mark.fault(row="restored-twice", invariants="I1 I3 I4 I5 I6")
async def test_restored_forgotten_nothing_is_published_and_what_was_said_meanwhile_is_told_later(scene_of: SceneOf):
    scene = await scene_of()
    await forgotten(scene)
    await scene.toy.stop(signal.SIGTERM)
    await operate(App(TOY, scene.toy.settings), "restored", [])
    await scene.toy.start()
    await quiet(scene.pool, scene.echo)
    await check_after_a_loss(scene)


@pytest.mark.twin(row="restored-twice", caught_by="I3")
async def test_twin_that_does_not_look_is_caught(scene_of: SceneOf):
    scene = await scene_of("does_not_look")
    await forgotten(scene)
    with pytest.raises(Broken) as broken:
        await check_after_a_loss(scene)
    assert broken.value.invariant == "I3"


async def listener_put_back(scene: Scene) -> None:
    await scene.toy.start()
    await scene.load.run(each=3)
    await quiet(scene.pool, scene.echo)
    backup = await echo_backup(scene)
    await scene.load.run(each=3)
    await quiet(scene.pool, scene.echo)
    await until(lambda: scene.echo.fetchval("select bool_and(moved_at < clock_timestamp() - interval '1 second') from checkpoints"))
    await scene.toy.stop(signal.SIGTERM)
    await backup.put_back()
    found = await operate(App(ECHO, scene.toy.echo), "restored", [])
    assert found["generation"] == 2
    await scene.toy.start()
    await scene.load.last_words()
    await scene.check()


@pytest.mark.fault(row="restored", invariants="I3 I4 I5 I6")
async def test_a_listener_restored_to_yesterday_hears_again_what_it_lost_and_reacts_once(scene_of: SceneOf):
    await listener_put_back(await scene_of())


@pytest.mark.twin(row="restored", caught_by="I3")
async def test_twin_that_goes_on_where_it_was_is_caught(scene_of: SceneOf):
    with pytest.raises(Broken) as broken:
        await listener_put_back(await scene_of("group_without_generation"))
    assert broken.value.invariant == "I3"
