"""Callers that never give up: the same command with the same key until there is an answer."""

import asyncio
import itertools
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import httpx
from msgspec import Struct

from tests.kit import until
from tests.toy.process import Toy


class Asked(Struct, frozen=True):
    """One command of a caller. `amount` is its own, so that it is known again in the log; 0 rings a bell, boils an egg or names."""

    path: str
    key: str
    community_id: UUID
    amount: int
    twice: bool = False

    def body(self) -> dict[str, Any]:
        return {"amount": self.amount, "twice": self.twice} if self.amount else {}


class Load:
    """`livez`: what the process said of being alive whenever it could not do what was asked."""

    def __init__(self, toy: Toy, communities: int = 3, accounts: int = 3) -> None:
        self.toy = toy
        self.accounts = {uuid4(): [uuid4() for _ in range(accounts)] for _ in range(communities)}
        self.answered: dict[Asked, dict[str, Any]] = {}
        self.errors: set[str] = set()
        self.livez: list[int] = []
        self.asking: list[asyncio.Task[None]] = []
        self.patience = 45.0
        self._amounts = itertools.count(1)
        self._enough = asyncio.Event()

    async def run(self, callers: int = 6, each: int = 8, timeless: bool = False) -> None:
        """`timeless`: nothing that has a deadline."""
        await asyncio.gather(*(self._caller(n, each, timeless) for n in range(callers)))
        self._enough.set()

    async def _caller(self, number: int, each: int, timeless: bool) -> None:
        communities = list(self.accounts)
        for n in range(each):
            community = communities[(number + n) % len(communities)]
            make = ({} if timeless else {2: self.boil, 3: self.ring}).get(n % 5, self.name if n % 5 == 4 else None)
            await self.ask(make(community) if make else self.add(community, twice=n % 5 == 1))

    def add(self, community: UUID, twice: bool = False) -> Asked:
        amount = next(self._amounts)
        account = self.accounts[community][amount % 3]
        return Asked(f"/v1/{community}/accounts/{account}", str(uuid4()), community, amount, twice)

    def ring(self, community: UUID) -> Asked:
        return Asked(f"/v1/{community}/rings/bell-{next(self._amounts) % 3}", str(uuid4()), community, 0)

    def boil(self, community: UUID) -> Asked:
        return Asked(f"/v1/{community}/eggs/{next(self._amounts) % 50}", str(uuid4()), community, 0)

    def name(self, community: UUID) -> Asked:
        """Fewer names than accounts, so that some are refused."""
        number = next(self._amounts)
        account = self.accounts[community][number % 3]
        return Asked(f"/v1/{community}/accounts/{account}/names/{'tang' if number % 2 else 'song'}", str(uuid4()), community, 0)

    async def last_words(self) -> None:
        """One more of every community: behind it, nothing that came before can be missing unseen."""
        for community in self.accounts:
            await self.ask(self.add(community))

    async def ask(self, asked: Asked) -> dict[str, Any]:
        async def answer() -> Any:
            try:
                response = await self.toy.http.post(asked.path, json=asked.body(), headers={"idempotency-key": asked.key})
            except httpx.TransportError as error:
                self.errors.add(type(error).__name__)
                await self._look_alive()
                return None
            if response.status_code >= 500:
                self.errors.add(str(response.status_code))
                await self._look_alive()
                return None
            if response.status_code == 409:
                return {"events": [], "refused": response.json()["code"]}
            assert response.status_code == 200, response.text
            return dict(response.json())

        found = await until(answer, self.patience)
        assert found is not None
        self.answered[asked] = found
        if len(self.answered) >= 6:
            self._enough.set()
        return found

    async def answers(self) -> None:
        """All who are still asking have been answered."""
        await asyncio.gather(*self.asking)
        self.asking.clear()

    async def _look_alive(self) -> None:
        with suppress(httpx.TransportError):
            self.livez.append((await self.toy.http.get("/livez")).status_code)

    async def well_under_way(self) -> None:
        await asyncio.wait_for(self._enough.wait(), 20)

    async def ask_all_again(self) -> dict[Asked, dict[str, Any]]:
        before = dict(self.answered)
        again = await asyncio.gather(*(self.ask(asked) for asked in before))
        self.answered = before
        return dict(zip(before, again, strict=True))
