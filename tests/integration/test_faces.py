"""A face on real PostgreSQL and Kafka: added with the consent, opens, and with the consent or the last residence it leaves access and
every reader, proved."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from libs.contracts.devices import DeviceReported
from libs.contracts.fields import SealedField
from libs.contracts.identity import ConsentGiven, ConsentWithdrawn, PersonLeft, ResidenceEnded, ResidenceStarted
from libs.eventkit.privacy import seal
from services.access.domain.openings import CredentialJudged
from services.access.domain.rights import GrantRight
from services.access.main import ways_of
from services.access.ways import Ways
from services.devices.domain.registry import RetireDevice
from tests.integration.fire_site import Site, hears
from tests.integration.test_fire_release import again, begin, site
from tests.kit import until

__all__ = ["site"]
ANN = uuid4()
CARD, FACE = {"person_id": str(ANN), "kind": "card", "number": "1000000017"}, {"person_id": str(ANN), "kind": "face"}


async def knows(site: Site, agreed: bool) -> Ways:
    ways = ways_of(site.access)

    async def heard() -> bool:
        await ways.memory.catch_up()
        return ways.agrees(site.community, ANN, "face") is agreed

    await until(heard)
    return ways


async def refused(site: Site, code: str) -> None:
    answer = await site.post("/v1/credentials", FACE)
    assert (answer.status_code, answer.json()["code"]) == (409, code), answer.text


async def issued(site: Site) -> dict[str, Any]:
    """A card, and a face beside it, with the consent."""
    assert (await site.post("/v1/credentials", CARD)).status_code == 201
    await hears(site.access, "identity", site.community, ConsentGiven(ANN, "face", ANN))
    await knows(site, True)
    answer = await site.post("/v1/credentials", FACE)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def presented(site: Site, number: str) -> CredentialJudged:
    """What access judges of a face that the reader knows by this number, at door 4, the gate."""
    report = uuid4()
    key = await site.access.keyring.key_for(site.community, f"device:{report}", "credential")
    box = seal(key.dek, key.key_id, report, "employee_number", number)
    await hears(site.access, "devices", site.community, DeviceReported(
        report, site.machine.id, "face_verified", "5/75", None, 1, 4, False, False, datetime.now(UTC), 0.0, (),
        employee_number=SealedField(box.key_id, box.event_id, box.slot, box.box)))

    async def judged() -> Any:
        rows = await site.access.log.stream(f"opening:{report}")
        return next((e for row in rows if isinstance(e := site.access.catalogue.read(row), CredentialJudged)), None)

    found: CredentialJudged = await until(judged)
    return found


async def proofs(site: Site, credential: str) -> list[str]:
    answer = await site.client.get(f"/v1/credentials/{credential}/readers", headers={"authorization": "Bearer staff"})
    return [item["state"] for item in answer.json()["items"]]


async def test_a_face_needs_the_consent_and_another_way_beside_it(site: Site) -> None:
    begin(site.access)
    await refused(site, "consent_missing")
    await hears(site.access, "identity", site.community, ConsentGiven(ANN, "notices", ANN), ConsentGiven(UUID(int=9), "face", UUID(int=9)))
    await refused(site, "consent_missing")
    await hears(site.access, "identity", site.community, ConsentGiven(ANN, "face", ANN))
    await knows(site, True)
    await refused(site, "other_way_missing")
    card = (await site.post("/v1/credentials", CARD)).json()["id"]
    await ways_of(site.access).memory.catch_up()
    face = await site.post("/v1/credentials", FACE)
    assert face.status_code == 201 and face.json()["template_id"] == UUID(face.json()["id"]).hex
    for body in ({**FACE, "number": "1"}, {**CARD, "number": ""}):
        assert (await site.post("/v1/credentials", body)).status_code == 422
    asked = {"authorization": "Bearer staff", "idempotency-key": str(uuid4())}
    for _ in range(2):
        revoked = await site.client.delete(f"/v1/credentials/{card}", headers=asked)
        assert (revoked.status_code, revoked.json()["face_alone"]) == (200, True), "a lost card is revoked all the same, and it is said"


async def test_until_when_a_card_opens_is_in_the_log_in_utc(site: Site) -> None:
    card = await site.post("/v1/credentials", {**CARD, "valid_until": "2030-01-01T00:00:00+08:00"})
    rows = await site.access.log.stream(f"credential:{card.json()['id']}")
    assert ['"2029-12-31T16:00:00Z"' in row.data for row in rows if row.type == "credential_issued"] == [True]


async def test_a_reader_that_was_retired_is_told_no_more_and_its_faces_count_no_more(site: Site) -> None:
    begin(site.access)
    begin(site.devices)
    face = await issued(site)
    await hears(site.access, "identity", site.community, ConsentWithdrawn(ANN, "face", ANN))
    await site.once(site.devices, "template_not_removed")
    await site.devices.commands.handle(site.machine.id, RetireDevice(site.machine.id), site.context())
    (gone,) = await site.once(site.devices, "reader_gone")
    assert (str(gone.credential_id), gone.device_id) == (face["id"], site.machine.id)

    async def counted() -> bool:
        await ways_of(site.access).memory.catch_up()
        return ways_of(site.access).stored() == 0 and await proofs(site, face["id"]) == ["reader_gone"]

    await until(counted)
    assert await site.said(site.devices, "template_removed") == [], "nobody has proved anything"


async def test_with_the_consent_the_face_opens_nothing_more_and_every_reader_forgets_it(site: Site) -> None:
    begin(site.access)
    begin(site.devices)
    face = await issued(site)
    right = GrantRight(uuid4(), ANN, "community", "residence")
    await site.access.commands.handle(right.right_id, right, site.context())
    judged = await presented(site, face["template_id"].upper())
    assert (judged.allowed, judged.person_id, judged.means) == (True, ANN, "face")
    assert not (await presented(site, uuid4().hex)).allowed
    begun = datetime.now(UTC)
    await hears(site.access, "identity", site.community, ConsentWithdrawn(ANN, "face", ANN))
    (revoked,) = await site.once(site.access, "credential_revoked")
    assert (str(revoked.credential_id), revoked.kind, revoked.reason) == (face["id"], "face", "consent_withdrawn")
    assert not (await presented(site, face["template_id"])).allowed
    await site.once(site.devices, "template_not_removed")

    async def counted_still() -> bool:
        await ways_of(site.access).memory.catch_up()
        return ways_of(site.access).stored() == 1

    await until(counted_still)
    assert await proofs(site, face["id"]) in ([], ["waiting"]), "the reader is off"
    await again(site)
    await site.machine.on()
    await site.once(site.devices, "template_removed")

    async def proved() -> bool:
        return await proofs(site, face["id"]) == ["removed"]

    await until(proved)
    assert (datetime.now(UTC) - begun).total_seconds() < 60, "effective within a minute"
    assert set(site.machine.terminal.forgotten) == {face["template_id"]}
    await ways_of(site.access).memory.catch_up()
    counted = await site.client.get("/v1/face-templates", headers={"authorization": "Bearer operator"})
    assert {k: counted.json()[k] for k in ("stored", "threshold", "level", "findings")} == {
        "stored": 0, "threshold": 100_000, "level": "below", "findings": []}
    assert len(await site.said(site.access, "credential_revoked")) == 1, "the card stays"


async def test_who_has_left_the_community_leaves_no_card_and_no_face_behind_in_any_reader(site: Site) -> None:
    begin(site.access)
    begin(site.devices)
    await site.machine.on()
    lives = ResidenceStarted(uuid4(), ANN, uuid4(), site.building, 1, "tenant", datetime.now(UTC).date())
    await hears(site.access, "identity", site.community, lives)
    face = await issued(site)
    ended = ResidenceEnded(lives.residence_id, ANN, lives.home_id, site.building, datetime.now(UTC).date())
    await hears(site.access, "identity", site.community, ended, PersonLeft(ANN, datetime.now(UTC)))
    revoked = await site.once(site.access, "credential_revoked", 2)
    assert {(r.kind, r.reason) for r in revoked} == {("card", "residence_ended"), ("face", "residence_ended")}

    async def proved() -> bool:
        return await proofs(site, face["id"]) == ["removed"]

    await until(proved)
    assert set(site.machine.terminal.forgotten) == {face["template_id"]}
    assert (await site.post("/v1/credentials", {**CARD, "person_id": str(uuid4())})).status_code == 201, "the card is handed on"
