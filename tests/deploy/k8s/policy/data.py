"""Where data lives: brokers, topics, users, databases, archives, volumes."""

import re
from collections import defaultdict
from collections.abc import Iterator

from cli.migrating.topics import PARTITIONS, wanted
from cli.stack.kafka_rules import KEEPER, KEYS, SEALS, of_the_stack, topics
from libs.contracts.topics import TOPICS
from tests.deploy.k8s.policy.pods import amount, given, secured
from tests.deploy.k8s.rendering import Object
from tests.deploy.k8s.world import Workload, World, at

SERVICES = tuple(TOPICS)
KAFKA = {
    "auto.create.topics.enable": False, "unclean.leader.election.enable": False, "default.replication.factor": 3, "min.insync.replicas": 2,
    "offsets.topic.replication.factor": 3, "transaction.state.log.replication.factor": 3, "transaction.state.log.min.isr": 2,
    "share.coordinator.state.topic.replication.factor": 3, "share.coordinator.state.topic.min.isr": 2,
    "allow.everyone.if.no.acl.found": False}
SYNCHRONOUS = {"method": "any", "number": 1, "dataDurability": "required", "failoverQuorum": True}
PARAMETERS = {"synchronous_commit": "on", "timezone": "UTC", "wal_compression": "on"}
PLUGIN = "barman-cloud.cloudnative-pg.io"
CONTROL = {"strimzi.io/cluster": "kafka"}
FROM = [
    {"podSelector": {"matchExpressions": [
        {"key": "app.kubernetes.io/name", "operator": "In", "values": list(SERVICES)},
        {"key": "app.kubernetes.io/component", "operator": "In", "values": ["worker", "relay", "keeper", "operation", "all"]}]}},
    {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}}]


def kafka(world: World) -> Iterator[str]:
    for one in world.of("Kafka"):
        spec = at(one, "spec", "kafka", default={})
        listener = {"name": "tls", "port": 9092, "type": "internal", "tls": True, "authentication": {"type": "tls"},
                    "networkPolicyPeers": FROM}
        if spec.get("listeners") != [listener]:
            yield "Kafka: another listener than the one for certificates"
        if spec.get("authorization") != {"type": "simple"}:
            yield "Kafka: whoever comes may do anything"
        if wrong := {key for key, value in KAFKA.items() if (at(spec, "config", key) is not value and at(spec, "config", key) != value)
                     or isinstance(at(spec, "config", key), bool) != isinstance(value, bool)}:
            yield f"Kafka: {sorted(wrong)}"
        if at(spec, "rack", "topologyKey") != "topology.kubernetes.io/zone":
            yield "Kafka: copies are not spread over zones"
        if not str(spec.get("version", "")).startswith("4.") or not str(spec.get("metadataVersion", "")).startswith("4."):
            yield "Kafka: of some version"
        template = spec.get("template") or {}
        container = at(template, "kafkaContainer", default={})
        yield from (f"Kafka: {text}" for text in secured(at(template, "pod", default={}), [{"name": "kafka"} | container]))
        operators = at(one, "spec", "entityOperator", default={})
        containers = [{"name": name} | at(operators, "template", f"{name}Container", default={}) for name in (
            "topicOperator", "userOperator")]
        yield from (f"Kafka's operators: {text}" for text in secured(at(operators, "template", "pod", default={}), containers))
        for name in ("topicOperator", "userOperator"):
            yield from bounded(f"Kafka's {name}", at(operators, name, "resources", default={}))
        pod = at(template, "pod", default={})
        spread = {c.get("topologyKey"): c for c in pod.get("topologySpreadConstraints") or ()}
        for key, how in (("kubernetes.io/hostname", "DoNotSchedule"), ("topology.kubernetes.io/zone", "ScheduleAnyway")):
            if at(spread, key, "whenUnsatisfiable") != how or at(spread, key, "maxSkew") != 1 or at(
                    spread, key, "labelSelector", "matchLabels") != {"strimzi.io/pool-name": "brokers"}:
                yield f"Kafka: brokers are not spread by {key}"
        if pod.get("priorityClassName") != "lifang-data" or not 60 <= pod.get("terminationGracePeriodSeconds", 0) <= 300:
            yield "Kafka: brokers give way, or are ended hard"
        if at(template, "podDisruptionBudget", "maxUnavailable") != 1:
            yield "Kafka: more than one broker may be away"
        if pod.get("enableServiceLinks") is not False or at(operators, "template", "pod", "enableServiceLinks") is not False:
            yield "Kafka: services are told by the environment"
        yield from brokers(world)
        yield from topic_table(world)
        yield from users(world)


def bounded(what: str, resources: Object) -> Iterator[str]:
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    if not 0 < amount(requests.get("cpu")) <= 8 or not 0 < amount(requests.get("memory")) <= amount(limits.get("memory")) <= 8 << 30:
        yield f"{what}: asks for nothing, or has no bound"


def brokers(world: World) -> Iterator[str]:
    pools = list(world.of("KafkaNodePool"))
    if len(pools) != 1 or at(pools[0], "metadata", "labels") != CONTROL or at(pools[0], "metadata", "name") != "brokers":
        yield "Kafka: has no brokers"
    for pool in pools:
        spec = pool.get("spec") or {}
        if spec.get("replicas") != 3 or set(spec.get("roles") or ()) != {"controller", "broker"}:
            yield "Kafka: not three brokers"
        storage = spec.get("storage") or {}
        if storage.get("type") != "jbod" or not storage.get("volumes"):
            yield "Kafka: no volume"
        for volume in storage.get("volumes") or ():
            if volume.get("type") != "persistent-claim" or volume.get("deleteClaim") is not False or amount(volume.get("size")) < 1 << 34:
                yield "Kafka: its data goes with it"
            if volume.get("kraftMetadata") != "shared" or volume.get("id") != 0:
                yield "Kafka: its metadata lie elsewhere"
        yield from bounded("Kafka", spec.get("resources") or {})
        if amount(str(at(spec, "jvmOptions", "-Xmx")).replace("g", "Gi")) * 1.5 > amount(at(spec, "resources", "limits", "memory")) or (
                not amount(str(at(spec, "jvmOptions", "-Xms")).replace("g", "Gi"))):
            yield "Kafka: its heap is as large as its memory, or it begins with none"


def topic_table(world: World) -> Iterator[str]:
    named = [name for name in topics() if name not in (KEYS, SEALS)]
    has_to = {t.name: {"topicName": t.name, "partitions": PARTITIONS, "replicas": 3,
                       "config": {"min.insync.replicas": 2} | t.topic_configs} for t in wanted(named, KEYS, SEALS)}
    found = {at(t, "metadata", "name"): t.get("spec") for t in world.of("KafkaTopic") if at(t, "metadata", "labels") == CONTROL}
    if found != has_to:
        yield f"topics are others: {sorted({str(k) for k in (*found, *has_to) if found.get(k) != has_to.get(k)})}"


def users(world: World) -> Iterator[str]:
    """Each may do what the table says, and nothing else."""
    verbs = {"read": {"Read", "Describe"}, "write": {"Write", "Describe"}}
    has_to: dict[str, dict[tuple[str, str, str], set[str]]] = defaultdict(lambda: defaultdict(set))
    for rule in of_the_stack():
        has_to[rule.user][rule.kind, rule.name, "prefix" if rule.prefix else "literal"] |= verbs[rule.verb]
    found = {at(u, "metadata", "name"): u for u in world.of("KafkaUser") if at(u, "metadata", "labels") == CONTROL}
    if found.keys() != {*SERVICES, KEEPER}:
        yield f"users are {sorted(found)}"
    for name, user in found.items():
        spec, may = user.get("spec") or {}, defaultdict(set)
        for acl in at(spec, "authorization", "acls", default=[]):
            resource = acl.get("resource") or {}
            may[resource.get("type"), resource.get("name"), resource.get("patternType", "literal")] |= set(acl.get("operations") or ())
            if acl.get("host", "*") != "*" or acl.get("type", "allow") != "allow" or not acl.get("operations"):
                yield f"{name}: a rule that is none"
        if may != has_to.get(name):
            yield f"{name}: may do something else than the table says"
        if spec.get("authentication") != {"type": "tls"} or at(spec, "authorization", "type") != "simple":
            yield f"{name}: is known by no certificate"
        quotas = spec.get("quotas") or {}
        if not (0 < quotas.get("producerByteRate", 0) <= 64 << 20 and 0 < quotas.get("consumerByteRate", 0) <= 256 << 20
                and 0 < quotas.get("requestPercentage", 0) <= 200):
            yield f"{name}: takes all there is"


def databases(world: World) -> Iterator[str]:
    clusters = {at(one, "metadata", "name"): one.get("spec") or {} for one in world.of("Cluster")}
    if not clusters:
        return
    if clusters.keys() != {f"{service}-db" for service in SERVICES}:
        yield f"databases are {sorted(map(str, clusters))}"
    for name, spec in clusters.items():
        service = str(name).removesuffix("-db")
        yield from (f"{name}: {text}" for text in database(service, spec))
        if any(world.of("ObjectStore")):
            yield from (f"{name}: {text}" for text in archived(world, str(name), spec))
        else:
            yield f"{name}: is archived nowhere"


def database(service: str, spec: Object) -> Iterator[str]:
    if spec.get("instances") != 3 or at(spec, "postgresql", "synchronous") != SYNCHRONOUS:
        yield "what is committed is on one machine"
    if spec.get("enableSuperuserAccess", False) is not False or spec.get("enablePDB", True) is not True:
        yield "there is a superuser, or no budget"
    initial = at(spec, "bootstrap", "initdb", default={})
    wanted_ = {"database": service, "owner": f"{service}_owner", "secret": {"name": f"{service}-db"}, "dataChecksums": True,
               "localeProvider": "builtin", "builtinLocale": "C.UTF-8", "localeCollate": "C.UTF-8", "localeCType": "C.UTF-8"}
    if initial != wanted_:
        yield f"is made otherwise: {sorted(k for k in wanted_ if initial.get(k) != wanted_[k])}"
    role = {"name": f"{service}_owner", "ensure": "present", "login": True, "createrole": True, "superuser": False,
            "passwordSecret": {"name": f"{service}-db"}}
    if at(spec, "managed", "roles") != [role]:
        yield "its owner may do something else"
    parameters = at(spec, "postgresql", "parameters", default={})
    if wrong := {key for key, value in PARAMETERS.items() if parameters.get(key) != value}:
        yield f"{sorted(wrong)}"
    if not 100 <= int(parameters.get("max_connections", 0)) <= 400 or not re.fullmatch(
            r"[1-9]\d*GB", str(parameters.get("max_slot_wal_keep_size"))) or not re.fullmatch(
            r"[1-9]\d*MB", str(parameters.get("shared_buffers"))):
        yield "takes too few, or keeps what nobody fetches until its disk is full"
    rules = at(spec, "postgresql", "pg_hba", default=[])
    if rules != [f"hostssl {service} {service}_owner,{service}_log,{service}_read all scram-sha-256", "hostnossl all all all reject"]:
        yield "others may connect, or in clear"
    if at(spec, "inheritedMetadata", "labels") != {f"database-{service}": "server", "app.kubernetes.io/part-of": "lifang"}:
        yield "its pods are not known as its"
    for kind in ("storage", "walStorage"):
        if amount(at(spec, kind, "size")) < 4 << 30:
            yield f"no {kind}"
    if at(spec, "affinity", "podAntiAffinityType") != "required" or at(spec, "affinity", "enablePodAntiAffinity") is not True or at(
            spec, "affinity", "topologyKey") != "kubernetes.io/hostname":
        yield "two of it on one machine"
    constraint = at(spec, "topologySpreadConstraints", 0, default={})
    if constraint != {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway",
                      "labelSelector": {"matchLabels": {"cnpg.io/cluster": f"{service}-db"}}}:
        yield "is not spread over zones"
    if spec.get("priorityClassName") != "lifang-data" or spec.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "gives way, or may call anything"
    if ":" not in str(spec.get("imageName")).rpartition("/")[2]:
        yield "of some version"
    yield from bounded("database", spec.get("resources") or {})


def archived(world: World, name: str, spec: Object) -> Iterator[str]:
    plugin = {"name": PLUGIN, "isWALArchiver": True, "parameters": {"barmanObjectName": "archive", "serverName": name}}
    if spec.get("plugins") != [plugin]:
        yield "its changes are not archived"
    copies = [one.get("spec") or {} for one in world.of("ScheduledBackup") if at(one, "spec", "cluster", "name") == name]
    if len(copies) != 1:
        yield f"{len(copies)} copies a day"
    for copy in copies:
        fields = str(copy.get("schedule")).split()
        if len(fields) != 6 or fields[3:] != ["*", "*", "*"] or not all(field.isdigit() for field in fields[:3]):
            yield "is not copied every day"
        if copy.get("method") != "plugin" or at(copy, "pluginConfiguration", "name") != PLUGIN or copy.get("suspend"):
            yield "is copied nowhere"
        if copy.get("target") != "prefer-standby" or copy.get("immediate") is not True or copy.get("backupOwnerReference") != "self":
            yield "is copied from whoever serves, or only tomorrow"


def archive(world: World) -> Iterator[str]:
    for one in world.of("ObjectStore"):
        spec = one.get("spec") or {}
        where = spec.get("configuration") or {}
        days = str(spec.get("retentionPolicy", "")).removesuffix("d")
        if not days.isdigit() or not 14 <= int(days) <= 90:
            yield "archive: copies are kept too short, or for ever"
        if not str(where.get("destinationPath", "")).startswith("s3://") or not str(where.get("endpointURL", "")).startswith("https://"):
            yield "archive: nowhere, or in clear"
        for kind in ("wal", "data"):
            if at(where, kind, "encryption") != "AES256" or not at(where, kind, "compression"):
                yield f"archive: {kind} lies in clear"
        keys = {"accessKeyId": {"name": "archive", "key": "access-key"}, "secretAccessKey": {"name": "archive", "key": "secret-key"}}
        if where.get("s3Credentials") != keys or at(one, "metadata", "name") != "archive":
            yield "archive: nobody may write there"
        yield from bounded("archive", at(spec, "instanceSidecarConfiguration", "resources", default={}))


def plain(world: World, one: Workload) -> Iterator[str]:
    """A server of the plainest kind."""
    if one.component != "data" or not one.containers:
        return
    claims = at(one.object, "spec", "volumeClaimTemplates", default=[])
    if len(claims) != 1 or at(claims, 0, "spec", "accessModes") != ["ReadWriteOnce"] or amount(
            at(claims, 0, "spec", "resources", "requests", "storage")) < 4 << 30:
        yield "its data lie nowhere"
    container, number = one.containers[0], {"postgres": 5432, "kafka": 9092}.get(one.service)
    found = [(p.get("name"), p.get("containerPort"), p.get("protocol", "TCP")) for p in container.get("ports") or ()]
    if found != [(one.service, number, "TCP")]:
        yield f"listens at {found}"
    if str(container.get("image")).partition(":")[0].removeprefix("apache/") != one.service:
        yield f"is run by {container.get('image')}"
    mounts = {m.get("name"): m.get("mountPath") for m in container.get("volumeMounts") or ()}
    environment = {v.get("name"): v.get("value") for v in container.get("env") or ()}
    if one.service == "postgres":
        yield from postgres(one, container, mounts, environment)
    else:
        yield from broker(one, container, mounts, environment)


def postgres(one: Workload, container: Object, mounts: dict[str, str], environment: dict[str, str]) -> Iterator[str]:
    if mounts != {"data": "/var/lib/postgresql", "secrets": "/run/secrets/lifang", "run": "/var/run/postgresql", "tmp": "/tmp",
                  "shm": "/dev/shm"}:
        yield f"mounts {mounts}"
    if environment.get("POSTGRES_PASSWORD_FILE") != "/run/secrets/lifang/db-postgres" or environment.get(
            "PGDATA") != "/var/lib/postgresql/18/docker" or environment.get(
            "POSTGRES_INITDB_ARGS") != "--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C.UTF-8" or len(environment) != 3:
        yield "is made otherwise"
    arguments = container.get("args") or [""]
    wanted_ = {"-csynchronous_commit=on", "-ctimezone=UTC", "-cwal_compression=on", "-clog_min_messages=warning"}
    settings = dict(a[2:].split("=", 1) for a in arguments[1:] if a.startswith("-c") and "=" in a)
    if arguments[0] != "postgres" or not wanted_ <= set(arguments) or not 400 <= int(settings.get("max_connections", 0)) <= 1000 or (
            not settings.get("shared_buffers")) or "command" in container:
        yield "runs otherwise"
    ready = ["pg_isready", "-q", "-h", "127.0.0.1", "-U", "postgres"]
    if at(container, "startupProbe", "exec", "command") != ready or at(container, "readinessProbe", "exec", "command") != ready or at(
            container, "livenessProbe", "tcpSocket", "port") != "postgres":
        yield "nobody asks whether it takes connections"
    if given(one) != {"db-postgres": ("postgres", "db-postgres")}:
        yield "has other secrets"
    if {name for name in one.labels if name.startswith("database-")} != {f"database-{service}" for service in SERVICES}:
        yield "does not say whose databases it has"


def broker(one: Workload, container: Object, mounts: dict[str, str], environment: dict[str, str]) -> Iterator[str]:
    within = {m.get("name"): m["subPath"] for m in container.get("volumeMounts") or () if "subPath" in m}
    if mounts != {"data": "/var/lib/kafka/data", "secrets": "/run/secrets/lifang", "tmp": "/tmp"} or within != {"data": "data"}:
        yield f"mounts {mounts}, {within}"
    script = str(at(container, "args", 0))
    steps = ("settings=/run/secrets/lifang/server.properties\n", "test -e /var/lib/kafka/data/meta.properties || ",
             "exec /opt/kafka/bin/kafka-server-start.sh $settings")
    if container.get("command") != ["/bin/bash", "-ec"] or not all(step in script for step in steps):
        yield "runs otherwise"
    if set(environment) != {"LOG_DIR", "EXTRA_ARGS", "KAFKA_HEAP_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_LOG4J_OPTS"} or environment[
            "LOG_DIR"] != "/tmp/kafka" or "-Xmx256m" not in environment["KAFKA_HEAP_OPTS"] or environment["EXTRA_ARGS"] != "" or (
            "ExitOnOutOfMemoryError" not in environment["KAFKA_JVM_PERFORMANCE_OPTS"]) or (
            "/run/secrets/lifang/log4j2.properties" not in environment["KAFKA_LOG4J_OPTS"]):
        yield "is told otherwise"
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        if at(container, probe, "tcpSocket", "port") != "kafka":
            yield "nobody asks whether it takes connections"
    if given(one) != {name: ("kafka", name) for name in ("server.properties", "log4j2.properties")}:
        yield "has other secrets"
