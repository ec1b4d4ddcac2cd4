"""A visitor at a door: whether the code is ours and in time, whether the pass admits here, and that it was used."""

from datetime import datetime
from functools import cached_property
from uuid import UUID, uuid5

from libs.contracts import devices
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.log import Key
from libs.eventkit.privacy import Pending
from libs.eventkit.reactions import context_of
from libs.eventkit.recorded import Recorded
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from services.access.book import DoorBook
from services.access.domain.admission import Fact, PresentedPass
from services.access.domain.visitor_passes import PASSES, UsePass, why_not
from services.access.known import KnownDoor, KnownPass
from services.access.qr import SECRET, BadCode, Signer, payload_of, verify


class Visitors:
    """Checks codes at doors. The use is stored before the judgement that rests on it, and under a key of the report, so
    that a rerun after a crash judges the same and no two reports share one use."""

    def __init__(self, app: App, book: DoorBook) -> None:
        self.app, self.book = app, book

    @cached_property
    def signer(self) -> Signer:
        """Raises BadSecret, FileNotFoundError. Who answers makes it as it starts; who migrates or keeps the log is not given its seed."""
        return Signer.of(self.app.settings.secret(SECRET))

    async def presented(
        self, event: devices.DeviceReported, row: Recorded, door: KnownDoor, at: datetime, route: str,
    ) -> PresentedPass:
        """Uses the pass if it admits. Raises as `App.key_missing` says while the key of what was scanned has not arrived."""
        self.book.understood(row.community_id)
        try:
            text = await self._scanned(event)
        except BadCode as bad:
            return PresentedPass(bad.code)
        use = self._asked(text, door, event.report_id, at, entered=not event.awaits_decision)
        if isinstance(use, PresentedPass):
            return use
        facts = self._facts(use.pass_id, row.community_id)
        try:
            used = await self._use(use, row, (door.because, *(f.event_id for f in facts)), route)
        except (Refused, NotFound) as refused:
            code = refused.code if isinstance(refused, Refused) else "pass_unknown"
            return PresentedPass(code, (*facts, *self._end(use.pass_id, row.community_id)))
        return PresentedPass("", (*facts, *(Fact(i, "use") for i in used[:1])))

    async def judged(self, text: str, door: KnownDoor, asked_by: UUID, at: datetime) -> PresentedPass:
        """Whether the code would admit here now; uses nothing up. `asked_by`: the id of the question."""
        self.book.understood(door.community_id)
        use = self._asked(text, door, asked_by, at, entered=False)
        if isinstance(use, PresentedPass):
            return use
        try:
            code = why_not(use, (await self.app.commands.state(PASSES, use.pass_id, door.community_id))[0])
        except NotFound:
            code = "pass_unknown"
        ended = self._end(use.pass_id, door.community_id) if code else ()
        return PresentedPass(code, (*self._facts(use.pass_id, door.community_id), *ended))

    def _asked(self, text: str, door: KnownDoor, report_id: UUID, at: datetime, entered: bool) -> UsePass | PresentedPass:
        """The use that a code asks for; or the refusal of a code that is not ours or in time, or whose host has moved out."""
        try:
            pass_id = verify(payload_of(text), self.signer.public, at, door.community_id).pass_id
        except BadCode as bad:
            return PresentedPass(bad.code)
        known = self.book.visitor_pass(door.community_id, pass_id)
        if known and known.revoked is None and not self._at_home(known, at, entered):
            return PresentedPass("pass_revoked", self._facts(pass_id, door.community_id))
        return UsePass(
            pass_id=pass_id, door_id=door.door_id, zone=door.zone, floor=door.floor, report_id=report_id, at=at, entered=entered)

    def _at_home(self, known: KnownPass, at: datetime, entered: bool) -> bool:
        """Whether the host lives there; for whom a reader has let in by itself, whether they did so then."""
        if self.book.residence(known.community_id, known.host_id, known.home_id):
            return True
        left = self.book.moved_out(known.community_id, known.host_id, known.home_id)
        return entered and left is not None and at < left

    def _facts(self, pass_id: UUID, community_id: UUID) -> tuple[Fact, ...]:
        known = self.book.visitor_pass(community_id, pass_id)
        return (Fact(known.because, "visitor_pass"),) if known else ()

    def _end(self, pass_id: UUID, community_id: UUID) -> tuple[Fact, ...]:
        known = self.book.visitor_pass(community_id, pass_id)
        return (Fact(known.revoked, "revoked"),) if known and known.revoked else ()

    async def _use(self, use: UsePass, row: Recorded, because: tuple[UUID, ...], route: str) -> tuple[UUID, ...]:
        done = await self.app.commands.handle(
            use.pass_id, use, context_of(row, "use", because), key=Key("", route, str(uuid5(row.event_id, "use"))))
        return done.outcome.events

    async def _scanned(self, event: devices.DeviceReported) -> str:
        """What the reader read: devices has it in the place of a card's number. Raises BadCode, and as `App.key_missing` says."""
        field = event.card_number
        opened = await self.app.keyring.open(Sealed(field.key_id, field.event_id, field.slot, field.box)) if field else None
        if isinstance(opened, Pending):
            raise self.app.key_missing("the key of a visitor's code")
        if not isinstance(opened, bytes):
            raise BadCode("qr_malformed")
        return opened.decode(errors="replace")
