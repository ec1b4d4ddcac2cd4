"""What each container is told, and that whoever is named is there."""

from collections.abc import Iterator

from cli.manifests.secrets import source
from cli.providing import holders
from cli.stack.kafka_rules import KEEPER
from libs.contracts.topics import TOPICS
from tests.deploy.k8s.policy.network import forwarded
from tests.deploy.k8s.policy.pods import given
from tests.deploy.k8s.rendering import Object
from tests.deploy.k8s.world import COMPONENT, NAME, Workload, World, at

SERVICES = tuple(TOPICS)
RUNS = {
    "api": ["api"], "worker": ["worker"], "relay": ["relay"], "all": ["all"], "panels": ["api"],
    "keeper": ["cli.keeper", "$(SERVICE)"], "migrate": ["cli.migrate", "$(SERVICE)"]}
"""By component: the arguments of the image."""
OPERATIONS = {
    "verify": ["verify", "--strict"], "republish": ["republish"], "rebuild": ["rebuild", "$(VIEW)"], "operate": ["parked", "list"]}
OTHERS = {"databases": ["cli.providing.databases"], "topics": ["cli.providing.kafka"], "secrets": ["cli.providing.cluster"],
          "demo": ["cli.desk"]}
SILENT = ("api", "panels", "migrate")
"""Components that do not speak to Kafka."""
TLS = ("worker", "relay", "keeper", "operation")
CERTIFICATES = "kafka-cluster-ca-cert"


def environment(world: World, container: Object) -> dict[str, str]:
    """What the container is told, as far as it is told by text."""
    found: dict[str, str] = {}
    for one in container.get("envFrom") or ():
        found |= at(world.named, ("ConfigMap", at(one, "configMapRef", "name", default="")), "data", default={})
    return found | {one["name"]: one["value"] for one in container.get("env") or () if "value" in one}


def told(world: World, one: Workload) -> Iterator[str]:
    if one.component == "data" or not one.containers:
        return
    container = one.containers[0]
    sources = [str(at(each, "configMapRef", "name")) for each in container.get("envFrom") or ()]
    if any(("ConfigMap", name) not in world.named for name in sources):
        yield f"is told what is not there: {sources}"
    prefix = one.name.partition("-")[0]
    if [name.rpartition("-")[0] for name in sources] != ([] if one.service == "secrets" else ["platform", f"{prefix}-environment"]):
        yield f"is told by {sources}"
    if "LIFANG_WEBHOOKS_PRIVATE" in environment(world, container) or "LIFANG_FAILPOINT" in environment(world, container):
        yield "is told what is for tests"
    seen, image = environment(world, container), str(container.get("image"))
    short = image.partition("@")[0].partition(":")[0]
    serves = one.component in ("api", "worker", "relay", "all", "panels")
    if short.rpartition("lifang/")[2] != (one.service if serves else "tools"):
        yield f"is run by {image}"
    if world.has_operators and "@sha256:" not in image:
        yield f"{image} is not pinned by its digest"
    wanted = OTHERS.get(one.service) or RUNS.get(one.component) or [
        "cli.operate", "$(SERVICE)", *OPERATIONS.get(one.name.partition("-")[2], ["?"])]
    if container.get("args") != wanted or "command" in container:
        yield f"does not run {wanted}"
    in_front = one.service == "gateway" and one.component in ("api", "all") and any(world.of("Gateway", "Ingress"))
    proxies = "1" if in_front else None
    if seen.get("LIFANG_PROXIES") != proxies:
        yield f"believes {seen.get('LIFANG_PROXIES')} proxies where {proxies} stand before it"
    if one.service in SERVICES:
        yield from service_told(world, one, seen)
    if one.service != "secrets":
        yield from mounted(world, one)
    if one.service == "databases" and seen.get("DATABASE_URL") != f"postgresql://postgres@{SERVICES[0]}-db-rw:5432/postgres":
        yield "makes databases elsewhere"
    if one.service == "demo" and not demonstrated(seen):
        yield "does not know whom to seed"
    if one.service == "topics" and seen.get("KAFKA_BOOTSTRAP_SERVERS") != "kafka:9092":
        yield "makes topics elsewhere"
    if one.service != "secrets" and seen.get("LIFANG_SECRETS") != "/run/secrets/lifang":
        yield "looks for secrets elsewhere"
    yield from ports(one, container)


def demonstrated(seen: dict[str, str]) -> bool:
    wanted = {f"LIFANG_URL_{name.upper()}": f"http://{name}-api:8080" for name in holders.SEEDING} | {
        "LIFANG_DESK": "demo-desk", "LIFANG_PANELS": "devices-panels:8130", "LIFANG_PORT": "8090"}
    return wanted.items() <= seen.items()


def service_told(world: World, one: Workload, seen: dict[str, str]) -> Iterator[str]:
    name = one.service
    broker = "kafka-kafka-bootstrap:9092" if any(world.of("Kafka")) else "kafka:9092"
    user = "" if one.component in SILENT else KEEPER if one.component == "keeper" else name
    wanted = {
        "SERVICE": name, f"DATABASE_URL_{name.upper()}": f"postgresql://{name}-db-rw:5432/{name}", "LIFANG_HOST": "0.0.0.0",
        "LIFANG_PORT": "8080", "LIFANG_OPERATIONS_PORT": "8081", "LIFANG_TOPIC_PREFIX": "lifang",
        "KAFKA_BOOTSTRAP_SERVERS": broker, "LIFANG_KAFKA_USER": user}
    if name == "gateway":
        wanted |= {f"LIFANG_URL_{to.upper()}": f"http://{to}-api:8080" for to in forwarded()}
    if one.component == "panels":
        wanted["LIFANG_DC09_LISTEN"] = "0.0.0.0:8130"
    if one.component == "keeper":
        wanted["LIFANG_ALIVE"] = "/tmp/alive"
    if one.component == "operation":
        wanted["LIFANG_SEALS_USER"] = KEEPER
    if any(world.of("Cluster")):
        wanted |= {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/run/secrets/lifang/db-ca.crt"}
    if wrong := {key for key, value in wanted.items() if seen.get(key) != value}:
        yield f"is told otherwise: {sorted(wrong)}"
    if name == "devices" and not seen.get("LIFANG_URL_DEVICES", "").startswith("http"):
        yield "does not know what to tell devices"
    seeded = any(deployment for deployment in world.workloads if deployment.service == "demo")
    if (seen.get("LIFANG_DEMO") == "1") != seeded or (seeded and world.has_operators):
        yield "is a demonstration, or is not"
    if one.name == f"{name}-rebuild" and seen.get("VIEW") != "":
        yield "rebuilds some view"


def files_of(world: World, one: Workload) -> set[str]:
    """What it has to find in its directory."""
    name, strimzi = one.service, any(world.of("Kafka"))
    others = {"demo": holders.DESK, "databases": holders.of_databases(), "topics": holders.of_users()}
    if name in others:
        return set(others[name])
    keeper = [f"kafka-{KEEPER}", f"db-{name}-log"]
    found = set({"keeper": keeper, "migrate": holders.of_migration(name), "operation": holders.of_operations(name)}.get(
        one.component, holders.of_service(name)))
    seeding = any(other.service == "demo" for other in world.workloads) and one.component not in ("keeper", "migrate", "operation")
    found = found if seeding else found - {holders.DEMO}
    if one.component in SILENT:
        found -= {f"kafka-{name}"}
    if strimzi and one.component in TLS:
        users = {file for file in found if file.startswith("kafka-")}
        found = found - users | {f"{file}.{end}" for file in users for end in ("crt", "key")} | {"kafka-ca.crt"}
    return found | ({"db-ca.crt"} if any(world.of("Cluster")) else set())


def comes_from(file: str, service: str) -> tuple[str, str]:
    """The Secret and its key."""
    if file == "kafka-ca.crt":
        return CERTIFICATES, "ca.crt"
    if file == "db-ca.crt":
        return f"{service}-db-ca", "ca.crt"
    if file.startswith("kafka-") and file.endswith((".crt", ".key")):
        user, _, end = file.removeprefix("kafka-").partition(".")
        return user, f"user.{end}"
    return source(file)


def mounted(world: World, one: Workload) -> Iterator[str]:
    found, wanted = given(one), {file: comes_from(file, one.service) for file in files_of(world, one)}
    if found != wanted:
        yield f"its secrets are others: {sorted(found.items() ^ wanted.items())[:4]}"
    mounts = {mount.get("name"): mount.get("mountPath") for mount in one.containers[0].get("volumeMounts") or ()}
    if mounts != {"secrets": "/run/secrets/lifang", "tmp": "/tmp"}:
        yield f"mounts {mounts}"


def ports(one: Workload, container: Object) -> Iterator[str]:
    found = {(p.get("name"), p.get("containerPort"), p.get("protocol", "TCP")) for p in container.get("ports") or ()}
    web = {("http", 8090, "TCP")} if one.service == "demo" else {("http", 8080, "TCP"), ("operations", 8081, "TCP")}
    wanted = web if one.component in ("api", "worker", "relay", "all", "desk") else set()
    if one.component == "panels":
        wanted = {*web, ("dc09", 8130, "TCP"), ("dc09-udp", 8130, "UDP")}
    if found != wanted:
        yield f"ports are {sorted(found, key=str)}"


def services(world: World) -> Iterator[str]:
    """Each Service leads to pods that are there, at a port that they have."""
    for one in world.of("Service"):
        name, spec = at(one, "metadata", "name"), one.get("spec") or {}
        if spec.get("selector") and any(set(spec["selector"].items()) <= set(labels.items()) for labels in cluster_labels(world)):
            continue
        pods = world.selected(spec.get("selector"))
        if len({pod.service for pod in pods}) != 1 or len({pod.component for pod in pods}) != 1:
            yield f"Service/{name}: leads to {[pod.name for pod in pods]}"
            continue
        if pods[0].component != "data" and set(spec["selector"]) != {NAME, COMPONENT}:
            yield f"Service/{name}: selects by {sorted(spec['selector'])}"
        there = {(p.get("name"), p.get("protocol", "TCP")) for c in pods[0].containers for p in c.get("ports") or ()}
        for port in spec.get("ports") or ():
            if (port.get("targetPort"), port.get("protocol", "TCP")) not in there or port.get("name") != port.get("targetPort"):
                yield f"Service/{name}: leads to a port that is not there: {port}"
        yield from exact(str(name), spec, pods[0])


def exact(name: str, spec: Object, pod: Workload) -> Iterator[str]:
    numbers = {(p.get("port"), p.get("protocol", "TCP")) for p in spec.get("ports") or ()}
    known = {"postgres": {(5432, "TCP")}, "kafka": {(9092, "TCP")}, "demo": {(8090, "TCP")}}
    wanted = known.get(pod.service) or ({(8130, "TCP"), (8130, "UDP")} if pod.component == "panels" else {(8080, "TCP")})
    if numbers != wanted:
        yield f"Service/{name}: at {numbers}"
    outside = spec.get("type") == "LoadBalancer"
    if spec.get("type", "ClusterIP") not in ("ClusterIP", "LoadBalancer") or spec.get("externalIPs"):
        yield f"Service/{name}: is published"
    if outside:
        ranges = set(spec.get("loadBalancerSourceRanges") or ())
        if ranges != {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"} or pod.component != "panels":
            yield f"Service/{name}: is published to anybody"
        if spec.get("externalTrafficPolicy") != "Local":
            yield f"Service/{name}: hides who calls"
    headless = name in ("kafka", "postgres", "demo-desk") or name.endswith("-worker")
    if (spec.get("clusterIP") == "None") != headless or bool(spec.get("publishNotReadyAddresses")) != headless:
        yield f"Service/{name}: is not found as it has to be"


def cluster_labels(world: World) -> Iterator[dict[str, str]]:
    for one in world.of("Cluster"):
        yield at(one, "spec", "inheritedMetadata", "labels", default={})


def there(world: World) -> Iterator[str]:
    """Whoever is named in an address is there; and all seven services are, with all that belongs to them."""
    names = {at(one, "metadata", "name") for one in world.of("Service")}
    names |= {f"{at(one, 'metadata', 'name')}-rw" for one in world.of("Cluster")}
    names |= {f"{at(one, 'metadata', 'name')}-kafka-bootstrap" for one in world.of("Kafka")}
    for one in world.workloads:
        for container in one.containers:
            for variable, value in environment(world, container).items():
                if variable.startswith(("DATABASE_URL", "LIFANG_URL_", "KAFKA_BOOTSTRAP")):
                    host = value.rpartition("//")[2].rpartition("@")[2].partition("/")[0].partition(":")[0]
                    if host not in names and "." not in host:
                        yield f"{one.title}: {variable} names {host}, who is not there"
        if one.kind == "StatefulSet" and at(one.object, "spec", "serviceName") != one.name:
            yield f"{one.title}: its Service is another's"
        if one.kind == "StatefulSet" and one.name not in names:
            yield f"{one.title}: has no Service"
    kept = {(one.service, one.component) for one in world.workloads}
    single = any(component == "all" for _, component in kept)
    for service in SERVICES:
        wanted = {"keeper", "migrate", "operation", *(("all",) if single else ("api", "worker", "relay"))}
        if lacking := {component for component in wanted if (service, component) not in kept}:
            yield f"{service}: has no {sorted(lacking)}"
        operations = {one.name.partition("-")[2] for one in world.workloads if (one.service, one.component) == (service, "operation")}
        if operations != set(OPERATIONS):
            yield f"{service}: {sorted(operations ^ set(OPERATIONS))} of its operations"
    if ("devices", "panels") not in kept:
        yield "nobody listens to panels"
