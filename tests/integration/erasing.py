"""A service that hears of erasures: on a real database, its readers driven by hand, each event handled twice as after a crash."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from msgspec import Struct, json

from libs.contracts.identity import ResidentErased
from libs.eventkit.commands import Context
from libs.eventkit.log import Append, NewEvent
from libs.eventkit.recorded import Meta, Recorded, tag_of
from libs.eventkit.service import App
from tests.kit import everything

DRIVEN = ("residents_erased", "numbers_withdrawn", "passes_retired", "erasing")


class Desk(Struct):
    app: App
    community: UUID
    seen: int = 0

    @property
    def asked(self) -> Context:
        return Context(community_id=self.community, now=datetime.now(UTC))

    async def rows(self) -> list[Recorded]:
        return await everything(await self.app.database.pool())

    async def hears(self, event: Struct, event_id: UUID | None = None) -> UUID:
        """As from another service; the event's id."""
        event_id = event_id or uuid4()
        answer = await self.app.log.append(Append(
            self.community, f"heard:{event_id}", 0, [NewEvent(event_id, tag_of(event), 1, json.encode(event), Meta())]))
        assert answer.verdict == "ok"
        return event_id

    async def reacts(self) -> None:
        """Until nothing more follows."""
        reactors = [r for name in DRIVEN for r in self.app.reactors if r.reaction.name == name]
        while rows := [r for r in await self.rows() if r.position > self.seen]:
            self.seen = rows[-1].position
            for row in rows:
                event = self.app.catalogue.read(row)
                for reactor in reactors:
                    for _ in range(2 if type(event) in reactor.reaction.on else 0):
                        await reactor.handle(event, row)

    async def erases(self, resident_id: UUID, event_id: UUID | None = None) -> None:
        await self.hears(ResidentErased(resident_id, resident_id, "own_wish"), event_id)
        await self.reacts()

    async def said(self, kind: str) -> list[dict[str, Any]]:
        return [json.decode(r.data) for r in await self.rows() if r.type == kind]

    async def confirmed(self) -> list[int]:
        """Of how many keys it was said that they are gone, each time; never before all of them were said to be erased."""
        said = await self.rows()
        for row in said:
            if row.type == "erasure_confirmed":
                gone = {r.data for r in said if r.type == "key_erased" and r.position < row.position}
                assert len(gone) >= json.decode(row.data)["keys"]
        return [json.decode(r.data)["keys"] for r in said if r.type == "erasure_confirmed"]

    async def alive(self) -> set[str]:
        """Subjects of keys of its own that exist."""
        pool = await self.app.database.pool()
        rows = await pool.fetch("select subject from keys where wrapped is not null and owner = $1", self.app.service.name)
        return {row[0] for row in rows}

    async def claims(self, *scopes: str) -> set[str]:
        """Streams that hold something in these scopes."""
        pool = await self.app.database.pool()
        return {row[0] for row in await pool.fetch("select stream from claims where scope = any($1)", list(scopes))}

    async def tombstones(self, subjects: Sequence[str], purpose: str | None = None) -> list[Any]:
        """As the keys' topic would bring them to a service that was set back; of all purposes or of one."""
        pool = await self.app.database.pool()
        query = "select key_id from keys where subject = any($1) and purpose = coalesce($2, purpose)"
        ids = [row[0] for row in await pool.fetch(query, list(subjects), purpose)]
        for key_id in ids:
            await self.app.keyring.erase(key_id)
        return [await self.app.keyring.record(key_id) for key_id in ids]
