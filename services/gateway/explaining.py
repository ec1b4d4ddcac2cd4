"""Why did this happen, and what came of it? Composed from events that are given; each sentence cites its own. Pure."""

import heapq
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct

from libs.contracts.access import CredentialJudged, DoorOpeningOrdered
from libs.contracts.neighbors import BroadcastSent
from libs.contracts.parking import BarrierOrdered, FindingSettled, PassageJudged, SessionRecognised
from libs.eventkit.recorded import Recorded
from services.gateway.audience import persons_of, shown_to
from services.gateway.reach import Viewer, concerns, reaches, then, without
from services.gateway.sentences import LANGUAGES, Language, Names
from services.gateway.stories import ONE_EACH, own_causes
from services.gateway.told import Told
from services.gateway.words.names import RightChanged


class Known(Struct, frozen=True):
    """An event of the gateway's log."""

    row: Recorded
    event: Any


def causes(known: Known) -> tuple[UUID, ...]:
    """What it rests on: the events that caused it, then the facts that decided it; each once."""
    facts = (fact.event_id for fact in getattr(known.event, "facts", ()))
    return tuple(i for i in dict.fromkeys((*known.row.meta.caused_by, *facts)) if i != known.row.event_id)


def links(known: Mapping[UUID, Known]) -> dict[UUID, list[UUID]]:
    """What each rests on, as far as it is known. One command judges and orders, so that neither event caused the
    other: the order rests on the judgement of the same opening or passage. What people do in an incident rests on what was
    done before in it."""
    own_story = own_causes({i: (k.row, k.event) for i, k in known.items()})
    judged = {k.row.subject: i for i, k in known.items() if isinstance(k.event, CredentialJudged | PassageJudged)}
    found: dict[UUID, list[UUID]] = {}
    for i, k in known.items():
        own = [judged[k.row.subject]] if isinstance(k.event, DoorOpeningOrdered | BarrierOrdered) and k.row.subject in judged else []
        found[i] = [c for c in dict.fromkeys((*own, *own_story.get(i, ()), *causes(k))) if c in known and c != i]
    return found


def following(start: UUID, caused_by: Iterable[tuple[UUID, Iterable[UUID]]], most: int) -> list[UUID]:
    """What rests on `start`, directly or through others, nearest first. Topics are heard independently, so that an
    effect may stand before its cause."""
    effects: dict[UUID, list[UUID]] = {}
    for effect, its_causes in caused_by:
        for cause in its_causes:
            effects.setdefault(cause, []).append(effect)
    found, look = {start: None}, [start]
    for cause in look:
        for effect in effects.get(cause, ()):
            if effect not in found and len(found) <= most:
                found[effect] = None
                look.append(effect)
    return list(found)[1:]


def only_about(who: Viewer, known: Mapping[UUID, Known]) -> dict[UUID, Known]:
    """Without the events that are about somebody else, or about nobody at a home that is not theirs."""

    def theirs(event: Any) -> bool:
        home_id = getattr(event, "home_id", None)
        return who.person_id in persons if (persons := persons_of(event)) else home_id is None or home_id in who.homes

    return {i: k for i, k in known.items() if theirs(k.event)}


def as_told(who: Viewer, known: Mapping[UUID, Known]) -> dict[UUID, Known]:
    """As a resident may have it: without alarms, broadcasts and releases that do not reach them and without PINs, and of the others
    only what reaches them."""
    found = {i: k for i, k in known.items() if not concerns(k.event) or reaches(then(who, k.row), k.event)}
    return {
        i: k if (home := shown_to(then(who, k.row), k.event)) is None else Known(k.row, without(k.event, home)) for i, k in found.items()}


def in_order(known: Mapping[UUID, Known]) -> list[Known]:
    """Causes before effects; otherwise as the log has them. What rests on itself (it should not) comes last."""
    left = {i: set(its_causes) for i, its_causes in links(known).items()}
    effects: dict[UUID, list[UUID]] = {}
    for i, its_causes in left.items():
        for cause in its_causes:
            effects.setdefault(cause, []).append(i)
    ready = [(known[i].row.position, i) for i, its_causes in left.items() if not its_causes]
    heapq.heapify(ready)
    found: list[Known] = []
    while ready:
        _, i = heapq.heappop(ready)
        found.append(known[i])
        del left[i]
        for effect in effects.get(i, ()):
            left[effect].discard(i)
            if not left[effect]:
                heapq.heappush(ready, (known[effect].row.position, effect))
    return found + sorted((known[i] for i in left), key=lambda k: k.row.position)


def explain(
    of: UUID, asked: UUID, known: Mapping[UUID, Known], names: Names, language: Language = "en", told: Mapping[UUID, Told] | None = None,
) -> dict[str, Any]:
    """`of`: the id that was asked for (an event, an opening, an incident); `asked`: the event that it stands for, in `known`; `told`:
    whom each broadcast reached, said in one sentence after it."""
    chain = in_order(known)
    because = links(known)
    behind = _closure(asked, because)
    effects: dict[UUID, list[UUID]] = {}
    for i, its_causes in because.items():
        for cause in its_causes:
            effects.setdefault(cause, []).append(i)
    after = _closure(asked, effects)
    words = LANGUAGES[language]
    said = {k.row.event_id: words.sentence(_as_it_came(k, (known[c].event for c in because[k.row.event_id])), names) for k in chain}
    figures = {
        k.row.event_id: _cited(words.reached(told[k.event.broadcast_id], k.event.audience), k.row.event_id, (
            i for i in told[k.event.broadcast_id].events if i in known))
        for k in chain if isinstance(k.event, BroadcastSent) and k.event.broadcast_id in (told or {})} if told else {}
    text = [_cited(said[asked], asked, because[asked]), *([figures[asked]] if asked in figures else [])]
    for k in reversed(chain):
        if k.row.event_id in behind:
            text.append(_cited(f"{words.BECAUSE}{said[k.row.event_id]}", k.row.event_id, ()))
    for k in chain:
        if k.row.event_id in after and not isinstance(k.event, ONE_EACH):
            others = (c for c in because[k.row.event_id] if c not in behind)
            text.append(_cited(f"{words.THEN}{said[k.row.event_id]}", k.row.event_id, others))
            text += [figures[k.row.event_id]] if k.row.event_id in figures else []
    return {
        "of": of,
        "text": text,
        "chain": [
            {"event_id": k.row.event_id, "service": k.row.source, "type": k.row.type,
             "at": k.row.meta.source_time or k.row.recorded_at, "because": because[k.row.event_id],
             "text": said[k.row.event_id]} for k in chain]}


def _as_it_came(known: Known, its_causes: Iterable[Any]) -> Any:
    """A stay is recognised by a person who settles a finding; otherwise a right has changed under it."""
    found_out = not isinstance(known.event, SessionRecognised) or any(isinstance(cause, FindingSettled) for cause in its_causes)
    return known.event if found_out else RightChanged(known.event.person_id)


def _closure(start: UUID, edges: Mapping[UUID, list[UUID]]) -> set[UUID]:
    found: set[UUID] = set()
    look = list(edges.get(start, ()))
    while look:
        i = look.pop()
        if i not in found and i != start:
            found.add(i)
            look += edges.get(i, ())
    return found


def _cited(said: str, event_id: UUID, others: Iterable[UUID]) -> str:
    return " ".join((said, *(f"[{i}]" for i in dict.fromkeys((event_id, *others)))))
