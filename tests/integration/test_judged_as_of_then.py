"""What a reader kept and tells late is judged as of then on a real log: by the card, and the right, that counted at that moment."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from libs.contracts.devices import DeviceReported
from libs.contracts.fields import SealedField
from libs.eventkit.privacy import seal
from libs.eventkit.service import App
from services.access.api.doors import issue
from services.access.domain.credentials import RevokeCredential
from services.access.domain.openings import CredentialJudged
from services.access.domain.rights import GrantRight, RevokeRight
from services.access.main import SERVICE as ACCESS
from tests.integration.fire_site import Site, hears
from tests.integration.test_fire_release import begin, site
from tests.kit import until

__all__ = ["site"]
ANN, BEN = uuid4(), uuid4()
NUMBER = "1000000017"


async def holds(site: Site, person_id: UUID, credential_id: UUID, right_id: UUID) -> None:
    await issue(site.access, site.community, credential_id, person_id, "card", NUMBER, None, site.context())
    await site.access.commands.handle(right_id, GrantRight(right_id, person_id, "community", "residence"), site.context())


async def presented(site: Site, at: datetime, waits: bool = False) -> tuple[UUID | None, bool, str]:
    """Whose card it was, whether it opens the gate, and why, of a reader that let them in by itself then, or waits for us now."""
    report = uuid4()
    key = await site.access.keyring.key_for(site.community, f"device:{report}", "credential")
    box = seal(key.dek, key.key_id, report, "card_number", NUMBER)
    await hears(site.access, "devices", site.community, DeviceReported(
        report, site.machine.id, "card_read", "5/1", None, 1, 4, waits, waits, at, 0.0, (),
        card_number=SealedField(box.key_id, box.event_id, box.slot, box.box)))

    async def judged() -> Any:
        rows = await site.access.log.stream(f"opening:{report}")
        return next((e for row in rows if isinstance(e := site.access.catalogue.read(row), CredentialJudged)), None)

    found: CredentialJudged = await until(judged)
    return found.person_id, found.allowed, found.reason


async def test_a_card_that_was_revoked_after_the_reader_had_let_them_in_was_good_and_was_theirs(site: Site) -> None:
    begin(site.access)
    card, right, their_card, their_right = (uuid4() for _ in range(4))
    before = datetime.now(UTC)
    await holds(site, ANN, card, right)
    then = datetime.now(UTC)
    await site.access.commands.handle(card, RevokeCredential(card), site.context())
    await site.access.commands.handle(right, RevokeRight(right), site.context())
    good = (ANN, True, "allowed_by_residence")
    assert await presented(site, then) == good
    nobodys = (None, False, "credential_unknown")
    for at in (before, datetime.now(UTC)):
        assert await presented(site, at) == nobodys, "not yet, and no more"
    assert await presented(site, then, waits=True) == nobodys, "what waits for us opens by what counts now"

    await holds(site, BEN, their_card, their_right)
    assert await presented(site, then) == good, "the number is another one's now"
    assert await presented(site, datetime.now(UTC)) == (BEN, True, "allowed_by_residence")

    settings = site.access.settings
    await site.access.close()
    site.access = App(ACCESS, settings)
    await site.access.open()
    begin(site.access)
    assert await presented(site, then) == good, "another process, for which the card's index is gone"
