"""`python -m bench`: the rows on servers that are there. `lifang bench` starts them first."""

import argparse
import gc
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import msgspec
import uvloop

from bench import (
    alarm_path,
    appending,
    commanding,
    crowds,
    decision,
    door_event,
    growth,
    hop,
    plate_answer,
    rebuilding,
    resting,
    serving,
    streams,
    viewing,
)
from bench.measure import Result
from bench.servers import Servers

ROWS: dict[str, Callable[[Servers], Awaitable[Result]]] = {
    "append_1": partial(appending.measure, number=1),
    "append_32": partial(appending.measure, number=32),
    "append_256": crowds.measure_256,
    "append_4x16": crowds.measure_4x16,
    "command": commanding.measure,
    "relay": streams.measure_relay,
    "hearing": streams.measure_hearing,
    "view": viewing.measure,
    "decision": decision.measure,
    "hop": hop.measure,
    "rebuild": rebuilding.measure,
    "growth": growth.measure,
    "idle": resting.measure,
    "page": serving.measure_page,
    "judgement": serving.measure_judgement,
    "reports": serving.measure_reports,
    "door_event": door_event.measure,
    "plate_answer": plate_answer.measure,
    "alarm_government": alarm_path.measure_government,
    "alarm_webhook": alarm_path.measure_webhook,
    "alarm_storm": alarm_path.measure_storm,
}


async def measure(servers: Servers, rows: list[str], results: Path) -> None:
    """One line of JSON a row, as soon as it is measured."""
    results.mkdir(parents=True, exist_ok=True)
    for name in rows:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        line = msgspec.json.encode(await ROWS[name](servers))
        (results / f"{name}.json").write_bytes(line + b"\n")
        print(line.decode(), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("rows", nargs="*", choices=[[], *ROWS], metavar="ROW")
    for name in ("postgres", "kafka", "pgbench", "secrets", "results"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--peer", default="")
    for name in ("without", "whole"):
        parser.add_argument(f"--{name}", default="")
    o = parser.parse_args()
    servers = Servers(o.postgres, o.kafka, Path(o.pgbench), Path(o.secrets), o.peer, o.without, o.whole)
    gc.freeze()  # as a service does
    gc.set_threshold(20_000, 10, 10)
    uvloop.run(measure(servers, o.rows or list(ROWS), Path(o.results)))


if __name__ == "__main__":
    main()
