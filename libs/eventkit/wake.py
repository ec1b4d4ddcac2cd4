"""Who waits for the log to grow is told, whichever process made it grow."""

import asyncio

from libs.eventkit.db import Database, alive


class Wake:
    """Tells every waiting reader of this process that the log has grown, whoever appended."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def __call__(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    @property
    def next(self) -> asyncio.Event:
        """Take it before reading: growth after that moment sets it."""
        return self._event

    async def listen(self, database: Database) -> None:
        """Passes NOTIFYs of other processes on for as long as its connection lives."""
        connection = await database.direct()
        try:
            await connection.add_listener("log", lambda *_: self())
            self()
            await alive(connection)
        finally:
            connection.terminate()
