"""That it runs and goes on running: probes, copies, roll-outs, budgets, scalers."""

from collections.abc import Iterator

from cli.migrating.topics import PARTITIONS
from libs.contracts.topics import HEARS
from tests.deploy.k8s.policy.pods import amount
from tests.deploy.k8s.rendering import Object
from tests.deploy.k8s.world import COMPONENT, NAME, Workload, World, at, selects

WEB = ("api", "worker", "relay", "all", "panels")
ALONE = ("panels", "desk")
"""What is one by its nature: whoever holds the lease listens; the desk of a demonstration."""
START = {"data": (120, 300)}
"""Seconds that a start may take: at least, and not without end."""
KINDS = {"api": "Deployment", "relay": "Deployment", "keeper": "Deployment", "worker": "StatefulSet", "all": "StatefulSet",
         "panels": "StatefulSet", "desk": "Deployment", "data": "StatefulSet"}
SLOWLY = {"scaleDown": {"stabilizationWindowSeconds": 600, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 120}]}}
"""One pod in two minutes, after ten of quiet."""
ALIVE = ["python", "/app/healthy.py", "/tmp/alive", "30"]


def probes(world: World, one: Workload) -> Iterator[str]:
    if not one.stays:
        return
    container = one.containers[0] if one.containers else {}
    start, live, ready = (container.get(f"{kind}Probe") or {} for kind in ("startup", "liveness", "readiness"))
    least, most = START.get(one.component, (120, 150))
    if not least <= start.get("periodSeconds", 10) * start.get("failureThreshold", 3) <= most:
        yield f"a start may not take {least} s, or longer than {most} s"
    if not 20 <= live.get("periodSeconds", 0) * live.get("failureThreshold", 0) <= 90:
        yield "is ended too soon, or too late"
    if not 2 <= ready.get("periodSeconds", 0) * ready.get("failureThreshold", 0) <= 45:
        yield "is led to for too long"
    for kind, probe in (("startup", start), ("liveness", live), ("readiness", ready)):
        if not 1 < probe.get("timeoutSeconds", 1) <= 5 or len(probe.keys() & {"httpGet", "exec", "tcpSocket"}) != 1:
            yield f"{kind}: no probe that waits from 2 to 5 s"
    if one.component in WEB:
        for kind, probe, path in (("startup", start, "/livez"), ("liveness", live, "/livez"), ("readiness", ready, "/readyz")):
            wanted = {"path": path, "port": "http"}
            if one.component == "panels" and kind == "readiness":
                if probe.get("tcpSocket") != {"port": "dc09"}:
                    yield "is led to before it listens"
            elif probe.get("httpGet") != wanted:
                yield f"{kind}: does not ask {wanted}"
    elif one.component == "keeper":
        if any(at(probe, "exec", "command") != ALIVE for probe in (start, live, ready)):
            yield "nobody looks whether it is alive"
    elif one.component == "desk":
        asked = (at(start, "tcpSocket", "port"), at(live, "tcpSocket", "port"), at(ready, "httpGet"))
        if asked != ("http", "http", {"path": "/readyz", "port": "http"}):
            yield "nobody asks whether the community is seeded"
    elif "exec" in live:
        yield "liveness of a server starts a process"


def copies(world: World, one: Workload) -> Iterator[str]:
    if not one.stays:
        return
    if one.kind != KINDS.get(one.component):
        yield f"is no {KINDS.get(one.component)}"
    spec, scaled = one.object["spec"], scaler_of(world, one)
    if scaled is not None and "replicas" in spec:
        yield "an apply would set back what its scaler has set"
    if scaled is None:
        count, least = spec.get("replicas", 1), 2 if one.component not in ALONE and (world.has_operators or one.component == "api") else 1
        if not isinstance(count, int) or not least <= count <= (1 if one.component in (*ALONE, "all", "data") else 6):
            yield f"{count} of it run"
    if not 1 <= spec.get("revisionHistoryLimit", 10) <= 5:
        yield "keeps too much of what was"
    labels = at(spec, "selector", "matchLabels", default={})
    if not labels or not labels.items() <= one.labels.items() or labels.keys() - {NAME, COMPONENT}:
        yield "does not select its own pods"
    if labels.get(NAME) != one.service or (one.component != "data" and labels.get(COMPONENT) != one.component):
        yield "selects others' pods"
    if one.component != "data":
        yield from spread(one)
    yield from rolled_out(one, spec)


def rolled_out(one: Workload, spec: Object) -> Iterator[str]:
    if one.component == "desk":
        if spec.get("strategy") != {"type": "Recreate"}:
            yield "two desks seed one community"
        return
    if one.kind == "Deployment":
        if spec.get("strategy") != {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}:
            yield "ends the old before the new is there"
        if not 120 <= spec.get("progressDeadlineSeconds", 600) <= 600:
            yield "a roll-out that stands still is not told"
        return
    if at(spec, "updateStrategy", "type", default="RollingUpdate") != "RollingUpdate" or at(
            spec, "updateStrategy", "rollingUpdate", "partition"):
        yield "is not rolled out"
    if spec.get("podManagementPolicy") != "Parallel":
        yield "a member that waits keeps the others from starting, or is kept when it is mended"
    if one.component in ("worker", "all"):
        variables = {v["name"]: v for v in one.containers[0].get("env") or ()} if one.containers else {}
        source = at(variables, "LIFANG_MEMBER", "valueFrom", "fieldRef", "fieldPath")
        if source != "metadata.labels['apps.kubernetes.io/pod-index']":
            yield "its member id is not its ordinal"
    if one.component == "data" and at(spec, "persistentVolumeClaimRetentionPolicy") != {"whenDeleted": "Retain", "whenScaled": "Retain"}:
        yield "its data goes with it"
    if one.component == "panels":
        short = {t.get("key"): t for t in at(one.pod, "tolerations", default=[])}
        for key in ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"):
            if short.get(key) != {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 10}:
                yield "waits for a machine that is gone"


def spread(one: Workload) -> Iterator[str]:
    found = {c.get("topologyKey"): c for c in at(one.pod, "topologySpreadConstraints", default=[])}
    revision = "pod-template-hash" if one.kind == "Deployment" else "controller-revision-hash"
    for key, how in (("kubernetes.io/hostname", "DoNotSchedule"), ("topology.kubernetes.io/zone", "ScheduleAnyway")):
        wanted = found.get(key, {})
        if wanted.get("whenUnsatisfiable") != how or wanted.get("maxSkew") != 1:
            yield f"is not spread by {key}"
        if not selects(wanted.get("labelSelector"), one.labels) or at(wanted, "labelSelector", "matchLabels", NAME) != one.service:
            yield f"is spread by {key} with others, or not at all"
        if set(wanted.get("matchLabelKeys") or ()) != {COMPONENT, revision}:
            yield f"is spread by {key} with the roll-out before"


def scaler_of(world: World, one: Workload) -> Object | None:
    for scaler in world.of("HorizontalPodAutoscaler", "ScaledObject"):
        about = at(scaler, "spec", "scaleTargetRef", default={})
        if (about.get("kind"), about.get("name")) == (one.kind, one.name):
            return scaler
    return None


def budgets(world: World) -> Iterator[str]:
    """Exactly one each."""
    found = list(world.of("PodDisruptionBudget"))
    for one in world.workloads:
        if one.stays:
            own = [b for b in found if selects(at(b, "spec", "selector"), one.labels)]
            if len(own) != 1 or at(own[0], "spec", "selector") != at(one.object, "spec", "selector"):
                yield f"{one.title}: {len(own)} budgets of disruption"
    for budget in found:
        spec = budget["spec"] if isinstance(budget.get("spec"), dict) else {}
        if spec.keys() != {"maxUnavailable", "unhealthyPodEvictionPolicy", "selector"} or spec.get("maxUnavailable") != 1:
            yield f"{at(budget, 'metadata', 'name')}: not one of it may be away"
        if spec.get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield f"{at(budget, 'metadata', 'name')}: what is broken keeps a machine from being emptied"
        if sum(one.stays and selects(spec.get("selector"), one.labels) for one in world.workloads) != 1:
            yield f"{at(budget, 'metadata', 'name')}: is of none, or of several"


def scalers(world: World) -> Iterator[str]:
    workers = set()
    for scaler in world.of("HorizontalPodAutoscaler", "ScaledObject"):
        name, spec = at(scaler, "metadata", "name"), scaler.get("spec") or {}
        if not any(scaler_of(world, one) is scaler for one in world.workloads):
            yield f"{name}: scales nothing"
        is_worker = scaler["kind"] == "ScaledObject"
        least, most = (spec.get("minReplicaCount"), spec.get("maxReplicaCount")) if is_worker else (
            spec.get("minReplicas"), spec.get("maxReplicas"))
        if least != 2 or not isinstance(most, int) or not least < most <= (PARTITIONS if is_worker else 8):
            yield f"{name}: from {least} to {most}"
        behavior = at(spec, "advanced", "horizontalPodAutoscalerConfig", "behavior") if is_worker else spec.get("behavior")
        if behavior != SLOWLY or at(spec, "scaleTargetRef", "apiVersion") != "apps/v1":
            yield f"{name}: comes and goes"
        if is_worker:
            workers.add(str(at(spec, "scaleTargetRef", "name")).removesuffix("-worker"))
            yield from hearing(world, str(name), spec)
        elif [m for m in spec.get("metrics") or () if not 50 <= at(m, "resource", "target", "averageUtilization", default=0) <= 80
              or at(m, "resource", "name") != "cpu" or at(m, "type") != "Resource"
              or at(m, "resource", "target", "type") != "Utilization"] or not spec.get("metrics"):
            yield f"{name}: by no measure"
    if workers and workers != {service for service, sources in HEARS.items() if sources}:
        yield f"not everybody who hears is scaled: {sorted(workers)}"


def hearing(world: World, name: str, spec: Object) -> Iterator[str]:
    service = name.removesuffix("-worker")
    triggers = spec.get("triggers") or []
    if {at(t, "metadata", "topic") for t in triggers} != {f"lifang.{source}.v1" for source in HEARS.get(service, ())}:
        yield f"{name}: not by the topics that it hears"
    for trigger in triggers:
        how = trigger.get("metadata") or {}
        safe = {"offsetResetPolicy": "earliest", "allowIdleConsumers": "false", "scaleToZeroOnInvalidOffset": "false",
                "limitToPartitionsWithLag": "true", "excludePersistentLag": "true", "tls": "enable",
                "consumerGroup": f"lifang.{service}.g1", "bootstrapServers": "kafka-kafka-bootstrap.lifang.svc:9092"}
        if wrong := {key for key, value in safe.items() if how.get(key) != value}:
            yield f"{name}: {sorted(wrong)} of its trigger"
        if not 0 < amount(how.get("lagThreshold")) <= 1000 or trigger.get("type") != "kafka":
            yield f"{name}: waits for too much"
        if trigger.get("metricType", "AverageValue") != "AverageValue":
            yield f"{name}: has nothing to fall back on"
        if ("TriggerAuthentication", at(trigger, "authenticationRef", "name", default="")) not in world.named:
            yield f"{name}: has no certificate"
        elif at(trigger, "authenticationRef", "name") != f"{service}-kafka":
            yield f"{name}: has another's certificate"
    if at(spec, "fallback", "replicas", default=0) < 2 or not 1 <= at(spec, "fallback", "failureThreshold", default=0) <= 10:
        yield f"{name}: falls back on too few"
    if spec.get("cooldownPeriod", 300) < 300 or not 5 <= spec.get("pollingInterval", 30) <= 60:
        yield f"{name}: comes and goes"


def certificates(world: World) -> Iterator[str]:
    """By which KEDA asks how far a service is behind."""
    for one in world.of("TriggerAuthentication"):
        service = str(at(one, "metadata", "name")).removesuffix("-kafka")
        found = {(r.get("parameter"), r.get("name"), r.get("key")) for r in at(one, "spec", "secretTargetRef", default=[])}
        if found != {("ca", "kafka-cluster-ca-cert", "ca.crt"), ("cert", service, "user.crt"), ("key", service, "user.key")}:
            yield f"{service}: not its certificate: {found}"
