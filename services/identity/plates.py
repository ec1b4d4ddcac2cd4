"""Number plates: sealed on their way in, found by a blind index, opened only to be compared or while an answer is built.

A plate is text here, in one form (`national/plates.py`); which ones look alike is parking's (`domain/plates.py` there).
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct, structs

from libs.eventkit.commands import Context, Done
from libs.eventkit.decider import Refused
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.log import Key
from libs.eventkit.privacy import Opened, masked, seal
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import uuid7
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from services.identity import contacts, lookups
from services.identity.domain.vehicles import (
    PLATE,
    ContestPlate,
    CorrectPlate,
    How,
    RegisterVehicle,
    VehicleClass,
    VerifyBinding,
)
from services.identity.national.plates import normalised_plate
from services.identity.national.text import Unacceptable

Asking = Callable[[Sealed, str, bool], Struct]
"""The command for a sealed plate, its blind index, and whether another vehicle holds it."""


def plate_of(text: str) -> str:
    """The stored form (`national/plates.py`). Raises Problem 422 plate_invalid with the reason."""
    try:
        return normalised_plate(text)
    except Unacceptable as no:
        raise Problem(422, "plate_invalid", reason=no.reason) from no


async def masked_plates(app: App, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with as much of their plates as a list may show."""
    opened = await _opened(app, rows)
    return [row | contacts.as_shown("plate", masked(plate, "plate")) for row, plate in zip(rows, opened, strict=True)]


async def in_full(app: App, vehicle_id: UUID, community_id: UUID) -> dict[str, Any]:
    """In the clear: for somebody whose look is on record. `held_by`: which vehicle holds the plate. Raises NotFound."""
    plate = (await lookups.vehicle(app, vehicle_id, community_id)).plate
    return {
        "id": vehicle_id, "plate": contacts.text_of(await app.keyring.open(plate)),
        "held_by": await holder_of(app, community_id, plate)}


async def own_plates(app: App, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with their plates in the clear: for their keeper alone."""
    opened = await _opened(app, rows)
    return [{**row, "plate": contacts.text_of(plate)} for row, plate in zip(rows, opened, strict=True)]


async def _opened(app: App, rows: Sequence[dict[str, Any]]) -> list[Opened]:
    return await app.keyring.open_all([msgspec.convert(row["plate"], Sealed) for row in rows])


async def register(
    app: App, vehicle_id: UUID, home_id: UUID, keeper_id: UUID | None, plate: str, vehicle_class: VehicleClass,
    context: Context, key: Key | None = None, seen: Sequence[dict[str, Any]] = (),
) -> Done:
    """`plate` in its stored form. `seen`: rows of the home's vehicles that who asks can see; nothing but they may make a
    difference to the answer."""
    if keeper_id is not None:
        await lookups.not_erased(app, keeper_id, context.community_id)
    lives_there = keeper_id is not None and await lookups.lives_in(app, context.community_id, keeper_id, home_id)
    known_here = plate.encode() in await _opened(app, seen)

    def asking(sealed: Sealed, index: str, taken: bool) -> Struct:
        return RegisterVehicle(
            vehicle_id, home_id, keeper_id, lives_there, sealed, index, vehicle_class, known_here, taken)

    return await _say(app, vehicle_id, plate, asking, context, key, None)


async def correct(
    app: App, vehicle_id: UUID, plate: str, context: Context, key: Key | None, expected: int | None
) -> Done:
    """`expected`: the version that the caller saw. Raises NotFound."""
    vehicle = await lookups.vehicle(app, vehicle_id, context.community_id)
    same = await app.keyring.open(vehicle.plate) == plate.encode()

    def asking(sealed: Sealed, index: str, taken: bool) -> Struct:
        return CorrectPlate(vehicle_id, None if same else sealed, index, taken)

    return await _say(app, vehicle_id, plate, asking, context, key, expected)


async def verify(
    app: App, vehicle_id: UUID, how: How, by: UUID, context: Context, key: Key | None = None, expected: int | None = None
) -> Done:
    """Papers are stronger than words: a vehicle that was only declared gives the plate up. Raises NotFound."""
    vehicle = await lookups.vehicle(app, vehicle_id, context.community_id)
    opened = await app.keyring.open(vehicle.plate)
    if not isinstance(opened, bytes):
        raise Refused("plate_unreadable")
    index = app.blind.of(context.community_id, PLATE, opened.decode())
    command = VerifyBinding(vehicle_id, how, by, vehicle.plate, index)
    try:
        return await app.commands.handle(vehicle_id, command, context, key=key, expected=expected)
    except Refused as refused:
        if refused.code != "plate_taken":
            raise
    holder = await lookups.vehicle_of_plate(app, context.community_id, index)
    if holder not in (None, vehicle_id):
        await app.commands.handle(holder, ContestPlate(holder), context)
    return await app.commands.handle(vehicle_id, command, context, key=_second(key), expected=expected)


async def holder_of(app: App, community_id: UUID, plate: Sealed) -> UUID | None:
    """The vehicle that holds the plate, if it can be read and one does."""
    opened = await app.keyring.open(plate)
    if not isinstance(opened, bytes):
        return None
    return await lookups.vehicle_of_plate(app, community_id, app.blind.of(community_id, PLATE, opened.decode()))


def _second(key: Key | None) -> Key | None:
    """For what is said when the plate was taken: that outcome stands under the first key, and a retry comes by both."""
    return structs.replace(key, route=f"{key.route} again") if key else None


async def _say(
    app: App, vehicle_id: UUID, plate: str, asking: Asking, context: Context, key: Key | None, expected: int | None
) -> Done:
    handle = await app.keyring.key_for(context.community_id, f"vehicle:{vehicle_id}", PLATE)
    sealed = seal(handle.dek, handle.key_id, uuid7(), PLATE, plate)
    index = app.blind.of(context.community_id, PLATE, plate)

    holder = await lookups.vehicle_of_plate(app, context.community_id, index)

    async def say(taken: bool, key: Key | None) -> Done:
        first = [KeyCreated(handle.key_id)] if handle.is_new else []
        command = asking(sealed, index, taken)
        return await app.commands.handle(vehicle_id, command, context, key=key, expected=expected, first=first)

    try:
        done = await say(holder not in (None, vehicle_id), key)
    except Refused as refused:
        if refused.code != "plate_taken":  # by somebody who was faster
            raise
        done = await say(True, _second(key))
    if handle.is_new and done.outcome.events:
        await app.keyring.announced(handle.key_id)
    return done
