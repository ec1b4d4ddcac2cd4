"""What a service measures of itself is what its status says."""

from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from libs.eventkit import status as said

FOUND = {
    "position": 41, "ready": False, "parked": 2, "overdue": 3, "damaged": 4, "refuses": True, "lag": {"relay": 5, "hear": -1},
    "restarts": {"relay": 6}, "generation": 7, "gaps": [{"topic": "lifang.toy.v1"}], "kept": True,
    "sealed_behind": {"events": 9, "seconds": 8}}


async def test_metrics_say_what_status_says(monkeypatch: pytest.MonkeyPatch):
    async def status(app: Any) -> dict[str, Any]:
        return FOUND

    monkeypatch.setattr(said, "status", status)
    app = FastAPI()
    app.include_router(said.routes(SimpleNamespace(service=SimpleNamespace(name="measured"), hearing=None)))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        lines = (await client.get("/metrics")).text.splitlines()
    ours = dict(line.rsplit(" ", 1) for line in lines if 'service="measured"' in line)
    assert ours == {
        'lifang_log_position{service="measured"}': "41.0", 'lifang_ready{service="measured"}': "0.0",
        'lifang_parked{service="measured"}': "2.0", 'lifang_overdue{service="measured"}': "3.0",
        'lifang_damaged{service="measured"}': "4.0", 'lifang_log_generation{service="measured"}': "7.0",
        'lifang_gaps{service="measured"}': "1.0", 'lifang_kept{service="measured"}': "1.0",
        'lifang_unsealed_seconds{service="measured"}': "8.0",
        'lifang_relay_refuses{service="measured"}': "1.0", 'lifang_lag{reader="relay",service="measured"}': "5.0",
        'lifang_lag{reader="hear",service="measured"}': "-1.0", 'lifang_task_restarts{service="measured",task="relay"}': "6.0"}
