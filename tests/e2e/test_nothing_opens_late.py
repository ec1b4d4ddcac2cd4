"""I7: what was asked while the broker was away does not open when it comes back."""

import os
import signal
import time
from uuid import uuid4

import pytest

from cli import status
from services.devices.performer import ACTUATOR_TTL
from tests.e2e.conftest import Stack
from tests.kit import until

pytestmark = pytest.mark.serial


@pytest.mark.fault(row="kafka-away-at-the-door", invariants="I7")
@pytest.mark.parametrize("seconds", [ACTUATOR_TTL.total_seconds(), pytest.param(60.0, marks=pytest.mark.faults)])
async def test_an_opening_asked_while_kafka_is_away_expires_and_reaches_no_terminal(stack: Stack, http, control, seconds: float):
    """Its twin, which counts the time from the last hop, is caught in tests/devices/test_performer.py."""
    resident = stack.bearer("resident")
    door = (await http.get("/v1/me/doors", headers=resident)).json()["items"][0]["id"]
    device = next(d["device_id"] for d in stack.demo.doors if d["id"] == door)
    terminal = control([t.device_id for t in stack.demo.terminals].index(device))
    orders = len((await http.get(terminal + "/orders")).json())
    broker = status.look(stack.place)["kafka"]["pid"]
    os.kill(broker, signal.SIGSTOP)
    try:
        answer = await http.post(f"/v1/doors/{door}/openings", headers=resident | {"idempotency-key": str(uuid4())}, json={})
        assert answer.status_code == 201, "commands are accepted without the broker"
        asked = time.monotonic()
        await until(lambda: time.monotonic() - asked > seconds, timeout=seconds + 5)
    finally:
        os.kill(broker, signal.SIGCONT)

    async def ending() -> dict[str, object] | None:
        found = await http.get(f"/v1/events/{answer.json()['event_id']}/explanation", headers=resident)
        chain = found.json().get("chain", []) if found.status_code == 200 else []
        return next((c for c in chain if c["type"] == "access.door_opening_failed"), None)

    assert "too late" in str(await until(ending, timeout=60))
    assert len((await http.get(terminal + "/orders")).json()) == orders
    assert (await until(lambda: (s := status.look(stack.place))["ready"] and s, timeout=60))["ready"]
