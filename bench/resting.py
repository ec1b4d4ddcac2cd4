"""Row `idle`: what everything costs while nothing happens: after a minute of quiet, over a minute."""

import asyncio

import psutil

from bench.measure import Part, Result, rounded
from bench.servers import Servers
from bench.whole import SERVERS, Whole

QUIET = MEASURED = 60.0
GOAL_CPU, GOAL_MIB = 8.0, 1024


def family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def seconds(pid: int) -> float:
    """Of the processor, ever, by the process and what it has started; also by what has ended since and was waited for."""
    return sum(sum(p.cpu_times()[:4]) for p in family(pid))


def memory(pid: int) -> float:
    """MiB that are its own, shared pages by their share (PSS)."""
    return sum(p.memory_full_info().pss for p in family(pid)) / 2**20


async def measure(servers: Servers) -> Result:
    """The supervisor's children are services and servers themselves: counted once, by their own pids."""
    pids = {name: pid for name, pid in Whole.read(servers).pids.items() if pid and name != "supervisor"}
    await asyncio.sleep(QUIET)
    before = {name: seconds(pid) for name, pid in pids.items()}
    await asyncio.sleep(MEASURED)
    share = {name: 100 * (seconds(pid) - before[name]) / MEASURED for name, pid in pids.items()}
    pss = {name: memory(pid) for name, pid in pids.items() if name != "simulator"}
    ours, all_of_it = sum(share[name] for name in pss), sum(pss.values())
    spread = {name: {"value": rounded(share[name]), "min": rounded(share[name]), "max": rounded(pss.get(name, 0.0))} for name in share}
    return Result(
        row="idle", unit="% of one core, everything but the simulator", ours=rounded(ours),
        limit=Part("Kafka and PostgreSQL among them, with what the services ask of them", rounded(sum(share[n] for n in SERVERS))),
        peer=Part(f"MiB of memory in all (PSS; goal {GOAL_MIB})", rounded(all_of_it)), goal=f"≤ {GOAL_CPU} % of a core, ≤ {GOAL_MIB} MiB",
        met=ours <= GOAL_CPU and all_of_it <= GOAL_MIB, of_limit=0.0, of_peer=None, rounds=1, spread=spread)
