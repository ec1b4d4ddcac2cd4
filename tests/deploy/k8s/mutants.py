"""Every way in which a rendered object could be weakened, one at a time: each path deleted, each value another, and what could be added.

What is done to which path stands in the tables here. A mutant is killed by a finding of the policy or by the shape of its kind; one
that nobody notices has to be among the survivors, with a reason.
"""

import copy
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from libs.contracts.topics import TOPICS
from tests.deploy.k8s.policy import rules
from tests.deploy.k8s.rendering import Object
from tests.deploy.k8s.schemas import errors
from tests.deploy.k8s.world import TEMPLATED, World, at, title

Path = tuple[str | int, ...]
SERVICE = re.compile(rf"\b({'|'.join((*TOPICS, *map(str.upper, TOPICS)))})\b")

WEAKER: tuple[tuple[str, tuple[Any, ...]], ...] = (
    (r"replicas$|minReplicas$|minReplicaCount$", (0, 1)), (r"maxReplicas$|maxReplicaCount$", (1, 100)),
    (r"instances$", (1,)), (r"runAs(User|Group)$|fsGroup$", (0, 1000)), (r"seccompProfile\.type$", ("Unconfined",)),
    (r"whenUnsatisfiable$", ("ScheduleAnyway", "DoNotSchedule")), (r"maxUnavailable$", (0, 2, "100%")), (r"maxSurge$", (0,)),
    (r"(Probe|httpGet)\.path$|httpGet\.path$", ("/livez", "/readyz", "/metrics", "/internal/status")),
    (r"\.image$|imageName$", ("lifang/access:latest", "lifang/access", "lifang/gateway:dev")),
    (r"imagePullPolicy$", ("Always", "Never")), (r"ipBlock\.cidr$", ("0.0.0.0/0",)), (r"ipBlock\.except$", ([],)),
    (r"policyTypes\.\d+$", ("Ingress", "Egress")), (r"operator$", ("NotIn", "Exists", "DoesNotExist")),
    (r"\.type$", ("NodePort", "LoadBalancer", "OnDelete", "plain", "Opaque", "HTTP")), (r"protocol$", ("UDP", "TCP", "HTTP")),
    (r"(concurrencyPolicy)$", ("Allow", "Replace")), (r"restartPolicy$", ("Always", "Never", "OnFailure")),
    (r"podManagementPolicy$", ("OrderedReady",)), (r"offsetResetPolicy$", ("latest",)), (r"dataDurability$", ("preferred",)),
    (r"pod-security\.kubernetes\.io/[a-z]+$", ("baseline", "privileged")), (r"-version$", ("latest",)),
    (r"defaultMode$", (0o444, 0o777)), (r"schedule$", ("0 0 31 2 *", "* * * * *")), (r"patternType$", ("prefix", "literal")),
    (r"operations$", (["All"],)), (r"(verbs|resources|apiGroups)$", (["*"],)), (r"resourceNames$", ([],)),
    (r"automountServiceAccountToken$", (True,)), (r"readOnlyRootFilesystem$|readOnly$", (False,)),
    (r"(cpu|memory|sizeLimit|storage|size)$", ("0", "1Ti", "half")), (r"PGSSLMODE$", ("require", "disable", "prefer")),
    (r"severity$", ("whoever",)), (r"mountPath$", ("/run/secrets", "/app")), (r"reclaim|whenDeleted$|whenScaled$", ("Delete",)),
)
"""By the end of the path: values that are weaker, or another's."""

TEMPLATE = ("spec", "template", "spec")
ADDED: tuple[tuple[str, Path, Any], ...] = (
    *((r"Deployment|StatefulSet|Job", (*TEMPLATE, name), True) for name in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace")),
    (r"Deployment|StatefulSet|Job", (*TEMPLATE, "volumes", "+"), {"name": "machine", "hostPath": {"path": "/"}}),
    (r"Deployment|StatefulSet|Job", (*TEMPLATE, "containers", "+"), {"name": "other", "image": "other:1"}),
    (r"Deployment|StatefulSet|Job", (*TEMPLATE, "initContainers"), [{"name": "other", "image": "other:1"}]),
    (r"Deployment|StatefulSet|Job", (*TEMPLATE, "containers", 0, "securityContext", "privileged"), True),
    (r"Deployment|StatefulSet|Job", (*TEMPLATE, "containers", 0, "securityContext", "capabilities", "add"), ["NET_ADMIN"]),
    (r"Deployment|StatefulSet", (*TEMPLATE, "containers", 0, "ports", 0, "hostPort"), 8080),
    (r"Deployment|StatefulSet|Job", (*TEMPLATE, "containers", 0, "resources", "limits", "cpu"), "1"),
    (r"Deployment|StatefulSet|Job", (*TEMPLATE, "containers", 0, "envFrom"), [{"secretRef": {"name": "keys"}}]),
    (r"Deployment|StatefulSet|Job", (*TEMPLATE, "containers", 0, "env"), [
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "blind-index"}}}]),
    (r"Deployment|StatefulSet|Job", (*TEMPLATE, "containers", 0, "env"), [
        {"name": "URL", "value": "postgresql://access_owner:hunter22@access-db-rw/access"}]),
    (r"Deployment|StatefulSet|Job", (*TEMPLATE, "volumes", 0, "projected", "sources", "+"), {"serviceAccountToken": {"path": "token"}}),
    (r"Deployment|StatefulSet|Job", (*TEMPLATE, "volumes", 0, "projected", "sources", "+"), {"secret": {"name": "kafka-users"}}),
    (r"Deployment|StatefulSet", (*TEMPLATE, "containers", 0, "command"), ["python", "-m", "http.server"]),
    (r"StatefulSet", ("spec", "updateStrategy"), {"type": "OnDelete"}),
    (r"StatefulSet", ("spec", "updateStrategy"), {"type": "RollingUpdate", "rollingUpdate": {"partition": 9}}),
    (r"Job", ("spec", "parallelism"), 2), (r"Job", ("spec", "completions"), 2),
    (r"NetworkPolicy", ("spec", "ingress"), [{}]), (r"NetworkPolicy", ("spec", "egress"), [{}]),
    (r"NetworkPolicy", ("spec", "podSelector"), {}), (r"NetworkPolicy", ("spec", "egress", 0, "to", "+"), {"podSelector": {}}),
    (r"NetworkPolicy", ("spec", "ingress", 0, "from", "+"), {"namespaceSelector": {}}),
    (r"NetworkPolicy", ("spec", "egress", 0, "ports", "+"), {"protocol": "TCP", "port": 22}),
    (r"NetworkPolicy", ("spec", "ingress", 0, "ports", "+"), {"protocol": "TCP", "port": 22}),
    (r"NetworkPolicy", ("spec", "egress", 0, "ports", 0, "endPort"), 65535),
    (r"NetworkPolicy", ("spec", "ingress", 0, "ports", 0, "endPort"), 65535),
    (r"Service", ("spec", "externalIPs"), ["192.0.2.1"]), (r"Service", ("spec", "type"), "NodePort"),
    (r"PodDisruptionBudget", ("spec", "minAvailable"), 2),
    (r"Role", ("rules", "+"), {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}),
    (r"RoleBinding", ("subjects", "+"), {"kind": "Group", "name": "system:authenticated", "apiGroup": "rbac.authorization.k8s.io"}),
    (r"ServiceAccount", ("automountServiceAccountToken",), True), (r"PriorityClass", ("globalDefault",), True),
    (r"Kafka", ("spec", "kafka", "listeners", "+"), {"name": "plain", "port": 9095, "type": "internal", "tls": False}),
    (r"Kafka", ("spec", "kafka", "authorization", "superUsers"), ["CN=access"]),
    (r"KafkaUser", ("spec", "authorization", "acls", "+"), {
        "resource": {"type": "topic", "name": "*", "patternType": "literal"}, "operations": ["All"], "host": "*"}),
    (r"Cluster", ("spec", "postgresql", "pg_hba", "+"), "host all all all trust"),
    (r"Cluster", ("spec", "managed", "roles", "+"), {"name": "other", "superuser": True}),
    (r"ScheduledBackup", ("spec", "suspend"), True), (r"CronJob", ("spec", "suspend"), False),
    (r"HTTPRoute", ("spec", "rules", 0, "matches", "+"), {"path": {"type": "PathPrefix", "value": "/metrics"}}),
    (r"HTTPRoute", ("spec", "rules", 0, "matches", "+"), {"path": {"type": "PathPrefix", "value": "/"}}),
    (r"Ingress", ("spec", "defaultBackend"), {"service": {"name": "gateway-api", "port": {"name": "http"}}}),
    (r"ConfigMap", ("data", "LIFANG_WEBHOOKS_PRIVATE"), "1"), (r"ConfigMap", ("data", "LIFANG_FAILPOINT"), "relay.sent"),
    (r"Namespace", ("metadata", "labels", "pod-security.kubernetes.io/enforce"), "privileged"),
)
"""By kind: what could stand there too (`+`: one more at the end of a list)."""

REFERRED_TO = {"ConfigMap", "ServiceAccount", "PriorityClass"}
"""Kinds of which each workload names some."""

UNCALLED = "a name that nobody refers to"
UNSOUGHT = "labels of its own: nobody looks for it by them"
DEFAULT = "the default says the same, or is as good"
SURVIVORS: tuple[tuple[str, str], ...] = (
    (r"(?!Deployment |StatefulSet |Job |CronJob )\w+ metadata\.labels(\.app\.kubernetes\.io/[a-z-]+)? .*", UNSOUGHT),
    (r"Kafka .*\.pod\.metadata\.labels\.app\.kubernetes\.io/part-of .*", UNSOUGHT),
    (r"(NetworkPolicy|PodDisruptionBudget|HorizontalPodAutoscaler|Ingress|LimitRange) metadata\.name = 'other'.*", UNCALLED),
    (r"(PodMonitor|PrometheusRule|ResourceQuota|RoleBinding|ScheduledBackup) metadata\.name = 'other'.*", UNCALLED),
    (r"Service metadata\.name = 'other' was 'panels'", UNCALLED),
    (r"PrometheusRule spec\.groups\.\*\.name = 'other'.*|PriorityClass description .*", "a text for people"),
    (r"(Deployment|StatefulSet) spec\.replicas deleted was 1|.*\.ports\.\*\.protocol deleted was 'TCP'", DEFAULT),
    (r"Service spec\.type deleted was 'ClusterIP'|PriorityClass globalDefault deleted was False", DEFAULT),
    (r"CronJob spec\.suspend added False", DEFAULT),
    (r"(Deployment spec\.progressDeadlineSeconds|CronJob spec\.successfulJobsHistoryLimit) deleted.*", DEFAULT),
    (r"StatefulSet spec\.updateStrategy(\.type)? deleted.*", DEFAULT),
    (r".*(\.size|\.storage) = '1Ti'.*", "more room than is needed"),
    (r"(Gateway|Ingress) spec\..*(ClassName|secretName) = 'other'.*", "whoever rolls it out names it"),
    (r".*\.labelSelector\.matchLabels\.app\.kubernetes\.io/part-of deleted.*", "the service's name is enough"),
    (r".*\.matchExpressions\.\*\.values\.\* (deleted|= 'other') was '(all|panels|api|worker|relay)'",
     "a component that the overlays with this object have not"),
    (r"PrometheusRule spec\.groups\.\*\.rules\.\*\.for deleted was '1h'", "told an hour earlier"),
    (r"ConfigMap data\.LIFANG_URL_DEVICES deleted was 'http://devices-api:8080'", "the overlay says the same"),
)
"""What nobody notices, and why that is well: kind, path, what was done, what was there."""

FIRST: dict[str, tuple[Callable[[World], Iterator[str]], ...]] = {
    "NetworkPolicy": (rules.beyond.denied, rules.network.arrows), "PodDisruptionBudget": (rules.running.budgets,),
    "Service": (rules.wiring.services, rules.wiring.there), "ConfigMap": (), "Kafka": (rules.data.kafka,),
    "KafkaTopic": (rules.data.kafka,), "KafkaUser": (rules.data.kafka,), "KafkaNodePool": (rules.data.kafka,),
    "Cluster": (rules.data.databases,), "ScheduledBackup": (rules.data.databases,), "ObjectStore": (rules.data.archive,),
    "ExternalSecret": (rules.platform.secrets,), "PrometheusRule": (rules.alerts.alerts,), "PodMonitor": (rules.platform.measured,),
    "HorizontalPodAutoscaler": (rules.running.scalers,), "ScaledObject": (rules.running.scalers,),
    "TriggerAuthentication": (rules.running.certificates,), "Gateway": (rules.platform.coming_in,),
    "HTTPRoute": (rules.platform.coming_in,), "Ingress": (rules.platform.coming_in,)}
"""Rules that most likely see something about a kind; the others are asked afterwards."""


class Mutant(NamedTuple):
    """`object`, where `was` stands at the path, is changed in place by `make`, which returns what takes the change back."""

    object: Object
    path: Path
    how: str
    was: Any
    make: Callable[[], Callable[[], None]]

    def __str__(self) -> str:
        place = ".".join("*" if isinstance(step, int) else step for step in self.path)
        was = "" if isinstance(self.was, dict | list | None) else f" was {self.was!r}"
        return f"{self.object['kind']} {place} {self.how}{was}"


def alike(of: Any) -> str:
    """The same for what differs in nothing but a service's name, the hash of what it is told, or the place of an image."""
    text = re.sub(r"-[a-z0-9]{10}\b(?=')|@sha256:[0-9a-f]{64}|:dev\b|registry\.example\.org/", "", repr(of))
    return SERVICE.sub("S", text)


def leaves(of: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every path below, and what stands there."""
    steps = of.items() if isinstance(of, dict) else enumerate(of) if isinstance(of, list) else ()
    for step, value in steps:
        yield (*path, step), value
        yield from leaves(value, (*path, step))


def mutants(of: Object) -> Iterator[Mutant]:
    for path, value in list(leaves(of)):
        if path in (("apiVersion",), ("kind",)):
            continue
        yield Mutant(of, path, "deleted", value, lambda path=path: without(of, path))
        for other in others(path, value):
            yield Mutant(of, path, f"= {other!r}", value, lambda path=path, other=other: put(of, path, other))
    for kinds, path, value in ADDED:
        if re.fullmatch(kinds, of["kind"]) and at(of, *path[:-1]) is not None and at(of, *path) != value:
            yield Mutant(of, path, f"added {value!r}"[:60], None, lambda path=path, value=value: put(of, path, value))


def others(path: Path, value: Any) -> list[Any]:
    where = ".".join(map(str, path))
    found = [v for pattern, values in WEAKER if re.search(pattern, where) for v in values]
    if isinstance(value, bool):
        found.append(not value)
    elif isinstance(value, int):
        found += [0, value * 100 + 1]
    elif isinstance(value, str):
        found += ["other"] if value != "other" else []
    seen: list[Any] = []
    for one in found:
        if one != value and one not in seen:
            seen.append(one)
    return seen


def parent(of: Object, path: Path) -> Any:
    for step in path[:-1]:
        of = of[step]  # type: ignore[index]
    return of


def without(of: Object, path: Path) -> Callable[[], None]:
    place, step = parent(of, path), path[-1]
    value = place.pop(step)
    if isinstance(place, list):
        return lambda: place.insert(step, value)  # type: ignore[arg-type]
    return lambda: place.__setitem__(step, value)


def put(of: Object, path: Path, value: Any) -> Callable[[], None]:
    place, step = parent(of, path), path[-1]
    if step == "+":
        place.append(copy.deepcopy(value))
        return lambda: place.pop()
    if isinstance(place, dict) and step not in place:
        place[step] = copy.deepcopy(value)
        return lambda: place.pop(step)
    before = place[step]
    place[step] = copy.deepcopy(value)
    return lambda: place.__setitem__(step, before)


def killed_by(objects: list[Object], of: Object) -> str:
    """What notices that an object is another than it should be; empty when nothing does."""
    world = World(objects)
    try:
        if of["kind"] in TEMPLATED and any(True for _ in rules.of_one(world, of)):
            return "policy"
        first = FIRST.get(of["kind"], ())
        if any(True for rule in first for _ in rule(world)):
            return "policy"
        if next(errors(of), ""):
            return "shape"
        if of["kind"] in REFERRED_TO and any(True for _ in rules.findings(world)):
            return "policy"
        if any(True for rule in rules.OF_ALL if rule not in first for _ in rule(world)):
            return "policy"
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return "policy, which could not read it"
    return ""


Found = tuple[list[Object], Mutant]


def once(overlays: dict[str, tuple[Object, ...]]) -> list[list[Found]]:
    """Every mutant of every object; what differs in a service's name alone together, with the overlays that it is in."""
    found: dict[tuple[str, ...], list[Found]] = {}
    for objects in overlays.values():
        whole, seen = copy.deepcopy(list(objects)), set[tuple[str, ...]]()
        for one in whole:
            name = alike(title(one))
            for mutant in mutants(one):
                key = (name, str(mutant.path), mutant.how, alike(at(one, *mutant.path)))
                if key not in seen:
                    seen.add(key)
                    found.setdefault(key, []).append((whole, mutant))
    return list(found.values())


def killed(whole: list[Object], mutant: Mutant) -> str:
    """By what; empty where nobody notices it in this overlay."""
    back = mutant.make()
    try:
        return killed_by(whole, mutant.object)
    finally:
        back()


class Outcome(NamedTuple):
    """How many each detector has killed, how many live for which reason, and who lives for none."""

    killed: Counter[str]
    excused: Counter[str]
    left: list[Mutant]


def run(overlays: dict[str, tuple[Object, ...]]) -> Outcome:
    """A mutant is killed where one overlay that it is in notices it: what one of them has no use for another may need."""
    outcome = Outcome(Counter(), Counter(), [])
    for alike_ones in once(overlays):
        if by := next(filter(None, (killed(whole, mutant) for whole, mutant in alike_ones)), ""):
            outcome.killed[by] += 1
        elif reason := excuse(alike_ones[0][1]):
            outcome.excused[reason] += 1
        else:
            outcome.left.append(alike_ones[0][1])
    return outcome


def excuse(mutant: Mutant) -> str:
    """Why it may live."""
    return next((reason for pattern, reason in SURVIVORS if re.fullmatch(pattern, str(mutant))), "")
