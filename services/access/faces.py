"""Faces end with the consent on which they rest, and are counted against the threshold of filing."""

from libs.contracts.identity import ConsentWithdrawn
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from services.access.domain.credentials import CredentialIssued, Ended, RevokeCredential
from services.access.domain.face_filing import CountTemplates
from services.access.ways import Ways

WITHDRAWN: Ended = "consent_withdrawn"


def faces(ways: Ways) -> Reaction:

    async def withdrawn(event: ConsentWithdrawn, row: Recorded) -> list[Do]:
        if event.purpose != "face":
            return []
        await ways.ready(row.position, row.community_id)
        ending = ways.faces(row.community_id, event.resident_id, before=row.position)
        return [Do(f"revoke {i}", i, RevokeCredential(i, WITHDRAWN)) for i in ending]

    async def issued(event: CredentialIssued, row: Recorded) -> list[Do]:
        """Also decided while they agreed, and stored when they had just withdrawn."""
        if event.kind != "face":
            return []
        await ways.ready(row.position, row.community_id)
        count = Do("count", row.community_id, CountTemplates(row.community_id, ways.stored()))
        if ways.agrees(row.community_id, event.person_id, "face"):
            return [count]
        return [Do("revoke", event.credential_id, RevokeCredential(event.credential_id, WITHDRAWN)), count]

    return Reaction("faces", {ConsentWithdrawn: withdrawn, CredentialIssued: issued})
