"""Every webhook as each process keeps it in memory: a fold of the log, as of its end once `caught_up`."""

from functools import cache
from typing import Any
from uuid import UUID

from msgspec import Struct

from libs.eventkit.memory import Memory
from libs.eventkit.recorded import NOWHERE, Recorded
from libs.eventkit.service import App
from services.gateway.domain.webhooks import EVENTS, Delivering, Failing, NoWebhook, SwitchedOff, Target, There, Webhook, evolve


class Known(Struct, frozen=True):
    webhook_id: UUID
    community_id: UUID
    webhook: There

    def is_told_as(self, target: Target) -> bool:
        """Whether it is told at all, and as whoever began with this target does."""
        return not isinstance(self.webhook, SwitchedOff) and self.webhook.target == target


class WebhookBook:
    def __init__(self) -> None:
        self.memory = Memory("webhooks", EVENTS, self._apply)
        self._known: dict[UUID, Known] = {}

    def _apply(self, event: Any, row: Recorded) -> None:
        webhook_id = UUID((row.stream or str(NOWHERE)).rpartition(":")[2])
        known = self._known.get(webhook_id)
        webhook: Webhook = evolve(known.webhook if known else NoWebhook(), event)
        if isinstance(webhook, Delivering | Failing | SwitchedOff):
            self._known[webhook_id] = Known(webhook_id, row.community_id, webhook)
        else:
            self._known.pop(webhook_id, None)

    async def all(self) -> list[Known]:
        """As of the log's end, the oldest first."""
        await self.memory.catch_up()
        return sorted(self._known.values(), key=lambda known: known.webhook_id)

    async def one(self, webhook_id: UUID, position: int) -> Known | None:
        """Of whatever was said of it up to that position, at least. Raises NotReady."""
        await self.memory.fresh(position)
        return self._known.get(webhook_id)

    async def of(self, community_id: UUID, role: str | None = None) -> list[Known]:
        """A community's; of one authority, or of all."""
        return [k for k in await self.all() if k.community_id == community_id and role in (None, k.webhook.target.role)]


@cache
def book_of(app: App) -> WebhookBook:
    """The app's one memory of webhooks."""
    return WebhookBook()
