"""deploy/k8s/components/kafka-strimzi: topics, users with their rules, and who may come to the brokers."""

from collections import defaultdict

from cli.manifests.arrows import BROKER, COMPONENT, KAFKA, SERVICES, SPEAKING
from cli.manifests.network import among, pods, policy, selector, tcp
from cli.manifests.plain import Object, document, kustomization, platform, written
from cli.manifests.secrets import CERTIFIED, certificates
from cli.migrating.topics import wanted
from cli.stack.kafka_rules import KEEPER, KEYS, SEALS, Rule, of_the_stack, topics

PLACE = "components/kafka-strimzi"
VERSION = "kafka.strimzi.io/v1"
CLUSTER = {"strimzi.io/cluster": "kafka"}
REPLICAS, IN_SYNC = 3, 2
OPERATIONS = {"read": ("Read", "Describe"), "write": ("Write", "Describe")}
MEBIBYTE = 1 << 20
QUOTAS = {"producerByteRate": 16 * MEBIBYTE, "consumerByteRate": 64 * MEBIBYTE, "requestPercentage": 100}
"""Of one user at one broker, a second: some fifty times what 500 communities say. A service gone wild leaves room for others."""


def topic_objects() -> list[Object]:
    named = [name for name in topics() if name not in (KEYS, SEALS)]
    return [{
        "apiVersion": VERSION, "kind": "KafkaTopic", "metadata": {"name": topic.name, "labels": CLUSTER},
        "spec": {"topicName": topic.name, "partitions": topic.num_partitions, "replicas": REPLICAS,
                 "config": {"min.insync.replicas": IN_SYNC} | topic.topic_configs}} for topic in wanted(named, KEYS, SEALS)]


def acls(rules: set[Rule]) -> list[Object]:
    """One a resource, with all that may be done to it."""
    by_resource: defaultdict[tuple[str, str, bool], set[str]] = defaultdict(set)
    for rule in rules:
        by_resource[rule.kind, rule.name, rule.prefix] |= set(OPERATIONS[rule.verb])
    return [{
        "resource": {"type": kind, "name": name, "patternType": "prefix" if prefix else "literal"},
        "operations": sorted(operations), "host": "*"} for (kind, name, prefix), operations in sorted(by_resource.items())]


def user_objects() -> list[Object]:
    rules = of_the_stack()
    return [{
        "apiVersion": VERSION, "kind": "KafkaUser", "metadata": {"name": user, "labels": CLUSTER},
        "spec": {
            "authentication": {"type": "tls"},
            "authorization": {"type": "simple", "acls": acls({rule for rule in rules if rule.user == user})},
            "quotas": QUOTAS}} for user in (*SERVICES, KEEPER)]


def network() -> list[Object]:
    return [policy("kafka-from-services", selector(BROKER), "Ingress", pods(among(SERVICES, SPEAKING)), tcp(KAFKA))]


def certificates_patch(service: str, component: str) -> Object:
    """The service's certificate in the place of its password."""
    at = ("/spec/jobTemplate" if component == "operation" else "") + "/spec/template/spec/volumes/0"
    operations: list[Object] = [{"op": "test", "path": f"{at}/projected/sources/0/secret/name", "value": "kafka-users"},
                                {"op": "remove", "path": f"{at}/projected/sources/0"}]
    operations += [{"op": "add", "path": f"{at}/projected/sources/-", "value": one} for one in certificates(service, component)]
    kinds = "CronJob" if component == "operation" else "(Deployment|StatefulSet)"
    labels = f"app.kubernetes.io/name={service},{COMPONENT}={component}"
    return {"target": {"kind": kinds, "labelSelector": labels}, "patch": written(operations)}


def component() -> Object:
    return kustomization(
        "Component", resources=["cluster.yaml", "topics.yaml", "users.yaml", "network.yaml", "operator.yaml"],
        configMapGenerator=[platform(f"KAFKA_BOOTSTRAP_SERVERS=kafka-kafka-bootstrap:{KAFKA}")],
        patches=[certificates_patch(service, name) for service in SERVICES for name in CERTIFIED])


def files() -> dict[str, str]:
    """By their place below deploy/k8s."""
    return {
        f"{PLACE}/topics.yaml": document(*topic_objects()), f"{PLACE}/users.yaml": document(*user_objects()),
        f"{PLACE}/network.yaml": document(*network()),
        f"{PLACE}/kustomization.yaml": document(component(), what="Kafka by Strimzi: three brokers, certificates on both sides, rules.")}
