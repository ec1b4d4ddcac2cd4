"""What runs once: that it is tried again, ends, and goes away; and that nothing happens by itself but what is said here."""

from collections.abc import Iterator

from tests.deploy.k8s.rendering import Object
from tests.deploy.k8s.world import Workload, World, at

BY_ITSELF = {"verify"}
"""Operations with a time of their own."""


def once(world: World, one: Workload) -> Iterator[str]:
    if one.kind not in ("Job", "CronJob"):
        return
    spec = at(one.object, "spec", "jobTemplate", "spec", default={}) if one.kind == "CronJob" else one.object["spec"]
    if one.kind == "Job":
        if not 10 <= spec.get("backoffLimit", 6) <= 30 or one.pod.get("restartPolicy") != "OnFailure":
            yield "is not tried again until what it waits for is there"
        if not 300 <= spec.get("activeDeadlineSeconds", 0) <= 3600:
            yield "has no end"
        if not 60 <= spec.get("ttlSecondsAfterFinished", 0) <= 900:
            yield "stays, and nobody can apply the next one"
    else:
        yield from repeated(one, spec)
    if spec.get("parallelism", 1) != 1 or spec.get("completions", 1) != 1:
        yield "is done by several at once"


def repeated(one: Workload, spec: Object) -> Iterator[str]:
    cron, operation = one.object["spec"], one.name.partition("-")[2]
    if spec.get("backoffLimit", 6) != 0 or one.pod.get("restartPolicy") != "Never":
        yield "what failed is done again without anybody having looked"
    if not 3600 <= spec.get("activeDeadlineSeconds", 0) <= 86400:
        yield "has no end"
    if not 86400 <= spec.get("ttlSecondsAfterFinished", 0) <= 30 * 86400:
        yield "goes away before anybody has looked, or never"
    if cron.get("concurrencyPolicy") != "Forbid" or not str(cron.get("timeZone", "")).startswith("Etc/"):
        yield "begins beside the one before, or at another time"
    if not 3 <= cron.get("failedJobsHistoryLimit", 1) <= 10 or not 1 <= cron.get("successfulJobsHistoryLimit", 3) <= 3:
        yield "what has failed is forgotten"
    if (cron.get("suspend") is not True) != (operation in BY_ITSELF):
        yield "happens by itself, or does not"
    minute, hour, *days = [*str(cron.get("schedule")).split(), "", ""]
    if operation in BY_ITSELF and not (minute.isdigit() and hour.isdigit() and days == ["*", "*", "*", "", ""]
                                       and 600 <= cron.get("startingDeadlineSeconds", 0) <= 7200):
        yield "does not happen every night"
    if operation not in BY_ITSELF and cron.get("schedule") != "0 0 1 1 *":
        yield "would happen often if it were not suspended"
