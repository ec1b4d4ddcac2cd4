"""The namespace, who may do what in it, how one comes in, where secrets come from, what is measured."""

import re
from collections.abc import Iterator

from libs.contracts.topics import TOPICS
from tests.deploy.k8s.policy.pods import amount
from tests.deploy.k8s.rendering import Object
from tests.deploy.k8s.world import PART, World, at, selects, title

SERVICES = tuple(TOPICS)
MODES = ("enforce", "audit", "warn")
CLUSTER_WIDE = {"Namespace", "PriorityClass"}
MADE = {"keys", "kafka", "kafka-users", "postgres", "demo", *(f"{service}-db" for service in SERVICES)}
SHOWN = {"/v1", "/openapi.json", "/v1/device-reports"}
"""Paths that are led in from outside."""


def namespace(world: World) -> Iterator[str]:
    found = list(world.of("Namespace"))
    if len(found) != 1 or at(found[0], "metadata", "name") != "lifang":
        yield "no namespace of its own"
        return
    labels = at(found[0], "metadata", "labels", default={})
    for mode in MODES:
        if labels.get(f"pod-security.kubernetes.io/{mode}") != "restricted" or not str(
                labels.get(f"pod-security.kubernetes.io/{mode}-version")).startswith("v1."):
            yield f"pods are not restricted ({mode}), or by some version"
    for one in world.objects:
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", str(at(one, "metadata", "name", default=""))):
            yield f"{title(one)}: has no name"
        if at(one, "metadata", "namespace") != (None if one.get("kind") in CLUSTER_WIDE else "lifang"):
            yield f"{title(one)}: is in another namespace"
        if at(one, "metadata", "labels", PART) not in (None, "lifang"):
            yield f"{title(one)}: is part of something else"
    if ("NetworkPolicy", "denied") in world.named and len(world.named) != len({(o.get("kind"), title(o)) for o in world.objects}):
        yield "two of one name"
    if any(one.get("kind") == "Secret" for one in world.objects):
        yield "a secret stands in a manifest"


def bounds(world: World) -> Iterator[str]:
    quotas, limits = list(world.of("ResourceQuota")), list(world.of("LimitRange"))
    hard = at(quotas, 0, "spec", "hard", default={})
    for name, least, most in (
            ("requests.cpu", 4, 64), ("requests.memory", 8 << 30, 256 << 30), ("limits.memory", 16 << 30, 512 << 30), ("pods", 100, 500),
            ("persistentvolumeclaims", 10, 200), ("requests.storage", 2 << 40, 16 << 40), ("count/jobs.batch", 50, 500),
            ("services.nodeports", 0.5, 16), ("services.loadbalancers", 0.5, 8)):
        if not least <= amount(hard.get(name)) <= most:
            yield f"quota: {name} is {hard.get(name)}"
    each = at(limits, 0, "spec", "limits", 0, default={})
    asked, given, most = (amount(at(each, *path)) for path in (("defaultRequest", "memory"), ("default", "memory"), ("max", "memory")))
    if each.get("type") != "Container" or not 0 < asked <= given <= 1 << 30 < most <= 64 << 30 or not 0 < amount(
            at(each, "defaultRequest", "cpu")) <= 1:
        yield "whoever asks for nothing has no bound"
    values = {at(one, "metadata", "name"): one for one in world.of("PriorityClass")}
    order = [at(values, f"lifang-{kind}", "value", default=-1) for kind in ("operation", "service", "data")]
    if not 0 < order[0] <= 10_000 < order[1] < order[2] <= 1_000_000 or any(one.get("globalDefault") for one in values.values()):
        yield f"priorities are {order}"
    if at(values, "lifang-operation", "preemptionPolicy") != "Never" or any(
            at(values, f"lifang-{kind}", "preemptionPolicy", default="PreemptLowerPriority") != "PreemptLowerPriority" for kind in (
                "service", "data")):
        yield "an operation drives a service away, or a service none"


def accounts(world: World) -> Iterator[str]:
    for one in world.of("ServiceAccount"):
        if one.get("automountServiceAccountToken") is not False:
            yield f"{title(one)}: its token is mounted"
    for one in world.workloads:
        for volume in at(one.pod, "volumes", default=[]):
            for each in at(volume, "projected", "sources", default=[]):
                if "serviceAccountToken" in each and one.service != "secrets":
                    yield f"{one.title}: has a token"
        if one.service in SERVICES and one.pod.get("serviceAccountName") != f"{one.service}-account":
            yield f"{one.title}: is {one.pod.get('serviceAccountName')}"
    if any(world.of("ClusterRole", "ClusterRoleBinding")):
        yield "something may be done in other namespaces"
    roles, bindings = list(world.of("Role")), list(world.of("RoleBinding"))
    if not roles and not bindings:
        if ("Job", "secrets") in world.named:
            yield "whoever makes secrets may not"
        return
    rules = {tuple(frozenset(r.get(key) or ()) for key in ("apiGroups", "resources", "verbs", "resourceNames"))
             for role in roles for r in role.get("rules") or ()}
    secrets_, made = (frozenset({""}), frozenset({"secrets"})), frozenset(MADE)
    if rules != {(*secrets_, frozenset({"create"}), frozenset()), (*secrets_, frozenset({"get", "patch"}), made)}:
        yield "may do something else than make what is missing"
    for binding in bindings:
        if binding.get("roleRef") != {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "secrets"} or binding.get(
                "subjects") != [{"kind": "ServiceAccount", "name": "secrets", "namespace": "lifang"}]:
            yield "another may make secrets"
    if len(bindings) != 1 or [at(role, "metadata", "name") for role in roles] != ["secrets"]:
        yield "several may make secrets"
    yield from making(world)


def making(world: World) -> Iterator[str]:
    job = next((one for one in world.workloads if one.title == "Job/secrets"), None)
    if job is None:
        yield "nobody makes secrets"
        return
    sources = [each for volume in at(job.pod, "volumes", default=[]) for each in at(volume, "projected", "sources", default=[])]
    wanted = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}}]
    if sources != wanted or job.pod.get("serviceAccountName") != "secrets":
        yield "Job/secrets: is given something else than ten minutes with the cluster"
    mounts = {m.get("name"): m.get("mountPath") for m in job.containers[0].get("volumeMounts") or ()} if job.containers else {}
    if mounts != {"token": "/var/run/secrets/kubernetes.io/serviceaccount", "tmp": "/tmp"}:
        yield f"Job/secrets: mounts {mounts}"


def secrets(world: World) -> Iterator[str]:
    """Every one that is mounted is made by somebody: by the job, from the store outside, by an operator."""
    made = MADE if ("Job", "secrets") in world.named else set()
    outside = {at(one, "metadata", "name"): one for one in world.of("ExternalSecret")}
    by_operators = {f"{at(one, 'metadata', 'name')}-ca" for one in world.of("Cluster")}
    by_operators |= {at(one, "metadata", "name") for one in world.of("KafkaUser")}
    by_operators |= {f"{at(one, 'metadata', 'name')}-cluster-ca-cert" for one in world.of("Kafka")}
    needed: dict[str, set[str]] = {}
    for one in world.workloads:
        for volume in at(one.pod, "volumes", default=[]):
            for each in at(volume, "projected", "sources", default=[]):
                if "secret" in each:
                    needed.setdefault(str(at(each, "secret", "name")), set()).update(
                        i.get("key") for i in at(each, "secret", "items", default=[]))
    for cluster in world.of("Cluster"):
        needed.setdefault(str(at(cluster, "spec", "bootstrap", "initdb", "secret", "name")), set()).update(("username", "password"))
    for name, keys in sorted(needed.items()):
        if name in by_operators or name in made:
            continue
        if name not in outside:
            yield f"nobody makes the Secret {name}"
            continue
        yield from external(name, outside[name], keys)
    if unused := outside.keys() - needed.keys():
        yield f"secrets for nobody: {sorted(map(str, unused))}"


def external(name: str, one: Object, keys: set[str]) -> Iterator[str]:
    spec = one.get("spec") or {}
    template = at(spec, "target", "template", default={})
    found = {d.get("secretKey"): (at(d, "remoteRef", "key"), at(d, "remoteRef", "property")) for d in spec.get("data") or ()}
    fixed = template.get("data") or {}
    wanted = {key: (f"lifang/{name}", key) for key in keys if key != "username"}
    if name.endswith("-db"):
        wanted["password"] = (f"lifang/{name}", "owner")
        if fixed != {"username": name.replace("-db", "_owner")} or template.get("type") != "kubernetes.io/basic-auth":
            yield f"{name}: is not of the kind that a database is made with"
    elif template.get("type") != "Opaque" or fixed:
        yield f"{name}: is of some kind"
    if found != wanted:
        yield f"{name}: comes from elsewhere"
    target = spec.get("target") or {}
    if target.get("name") != name or target.get("creationPolicy") != "Owner" or target.get("deletionPolicy") != "Retain":
        yield f"{name}: goes when the store is away"
    if spec.get("secretStoreRef") != {"kind": "ClusterSecretStore", "name": "lifang"} or spec.get("refreshInterval") != "1h":
        yield f"{name}: from some store, some time"
    if template.get("mergePolicy") != "Merge" or template.get("engineVersion") != "v2":
        yield f"{name}: what is fixed stands in the place of what is fetched"


def coming_in(world: World) -> Iterator[str]:
    """What is led in from outside: to whom, by which path; TLS but for devices that know none."""
    names = {at(one, "metadata", "name"): one for one in world.of("Service")}
    routes = [(path, backend) for one in world.of("HTTPRoute") for rule in at(one, "spec", "rules", default=[])
              for path in rule.get("matches") or [{}] for backend in rule.get("backendRefs") or [{}]]
    led = {(at(match, "path", "type"), at(match, "path", "value"), backend.get("name"), backend.get("port")) for match, backend in routes}
    backends = [(path, at(path, "backend", "service", default={})) for one in world.of("Ingress")
                for rule in at(one, "spec", "rules", default=[]) for path in at(rule, "http", "paths", default=[])]
    led |= {(path.get("pathType"), path.get("path"), to.get("name"), at(to, "port", "name")) for path, to in backends}
    for kind, path, service, port in sorted(led, key=str):
        if path not in SHOWN or kind not in ("Prefix", "PathPrefix", "Exact") or (path == "/openapi.json") != (kind == "Exact"):
            yield f"{path} is shown outside"
        if service not in ("gateway-api", "devices-api") or service not in names or port not in (8080, "http"):
            yield f"{path} leads to {service}:{port}"
    gateways = {at(one, "metadata", "name"): one for one in world.of("Gateway")}
    if gateways or any(world.of("Ingress")):
        whom = {(path, service) for _, path, service, _ in led}
        wanted = {("/v1", "gateway-api"), ("/openapi.json", "gateway-api"), ("/v1", "devices-api")}
        if whom != wanted | ({("/v1/device-reports", "devices-api")} if gateways else set()):
            yield f"is led to {sorted(map(str, whom))}"
    yield from listeners(world, gateways)
    for one in world.of("Ingress"):
        spec = one.get("spec") or {}
        hosts = {h for t in spec.get("tls") or () if t.get("secretName") for h in t.get("hosts") or ()}
        if not spec.get("ingressClassName") or spec.get("defaultBackend") or {r.get("host") for r in spec.get("rules") or ()} - hosts:
            yield "comes in in clear, or by any name"


def listeners(world: World, gateways: dict[str, Object]) -> Iterator[str]:
    for name, one in gateways.items():
        found = {listener.get("name"): listener for listener in at(one, "spec", "listeners", default=[])}
        if found.keys() != {"people", "devices", "devices-in-clear"} or not at(one, "spec", "gatewayClassName"):
            yield f"Gateway/{name}: listens for {sorted(map(str, found))}"
        for what, listener in found.items():
            clear = what == "devices-in-clear"
            tls = {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": "certificate"}]}
            if (listener.get("protocol"), listener.get("port"), listener.get("tls")) != (
                    ("HTTP", 8083, None) if clear else ("HTTPS", 443, tls)):
                yield f"Gateway/{name}: {what} in clear, or elsewhere"
            if at(listener, "allowedRoutes", "namespaces", "from") != "Same" or not listener.get("hostname"):
                yield f"Gateway/{name}: {what} is led to by others, or has no name"
    for route in world.of("HTTPRoute"):
        name, spec = at(route, "metadata", "name"), route.get("spec") or {}
        parents = [(p.get("name"), p.get("sectionName")) for p in spec.get("parentRefs") or ()]
        section = {"people": "people", "registry": "devices", "reports": "devices-in-clear"}.get(str(name))
        if parents != [("lifang", section)] or "lifang" not in gateways:
            yield f"HTTPRoute/{name}: comes from {parents}"
            continue
        host = {at(li, "hostname") for li in at(gateways["lifang"], "spec", "listeners", default=[]) if li.get("name") == section}
        if set(spec.get("hostnames") or ()) != host:
            yield f"HTTPRoute/{name}: has another name than what leads to it"


def measured(world: World) -> Iterator[str]:
    for one in world.of("PodMonitor"):
        spec = one.get("spec") or {}
        seen = {w.component for w in world.workloads if w.stays and selects(spec.get("selector"), w.labels)}
        has_to = {w.component for w in world.workloads if w.stays and w.service in SERVICES} - {"keeper"}
        endpoint = at(spec, "podMetricsEndpoints", 0, default={})
        if seen != has_to or endpoint.get("port") != "operations" or endpoint.get("path") != "/metrics":
            yield f"what is measured is {sorted(seen)}"
        interval, timeout = (str(endpoint.get(key)).removesuffix("s") for key in ("interval", "scrapeTimeout"))
        if not (interval.isdigit() and timeout.isdigit() and 0 < int(timeout) <= int(interval) <= 30):
            yield "is measured too seldom for what is told of it"
        if spec.get("podTargetLabels") != ["app.kubernetes.io/component"]:
            yield "what is measured does not say of whom"
    if any(world.of("PodMonitor")) != any(world.of("PrometheusRule")) or (world.has_operators and not any(world.of("PrometheusRule"))):
        yield "nobody is called"


