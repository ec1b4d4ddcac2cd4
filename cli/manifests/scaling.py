"""deploy/k8s/components/autoscale-hpa and autoscale-keda: how many answer, and how many hear."""

from cli.manifests.arrows import BROKER, COMPONENT, KAFKA, SERVICES
from cli.manifests.network import policy, selector, tcp
from cli.manifests.plain import Object, document, kustomization, written
from cli.migrating.topics import PARTITIONS
from cli.stack.kafka_rules import PREFIX, topic_of
from libs.contracts.topics import HEARS

HPA, KEDA = "components/autoscale-hpa", "components/autoscale-keda"
FEWEST, MOST = 2, 6
BEHIND = 500
"""Records: what a member takes in one call of its database."""
GENERATION = 1
"""The consumer group carries it: `lifang restored` begins another, and then it is changed here."""
BEHAVIOR = {"scaleDown": {"stabilizationWindowSeconds": 600, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 120}]}}


def no_replicas(kind: str, labels: str) -> Object:
    """The scaler says how many; an apply would set it back."""
    return {"target": {"kind": kind, "labelSelector": labels}, "patch": written([{"op": "remove", "path": "/spec/replicas"}])}


def of_api(service: str) -> Object:
    return {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": f"{service}-api", "namespace": "lifang"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"{service}-api"},
            "minReplicas": FEWEST, "maxReplicas": MOST, "behavior": BEHAVIOR,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}]}}


def trigger(service: str, source: str) -> Object:
    return {
        "type": "kafka", "authenticationRef": {"name": f"{service}-kafka"}, "metricType": "AverageValue",
        "metadata": {
            "bootstrapServers": f"kafka-kafka-bootstrap.lifang.svc:{KAFKA}", "topic": topic_of(source),
            "consumerGroup": f"{PREFIX}.{service}.g{GENERATION}", "lagThreshold": str(BEHIND), "offsetResetPolicy": "earliest",
            "allowIdleConsumers": "false", "scaleToZeroOnInvalidOffset": "false", "excludePersistentLag": "true",
            "limitToPartitionsWithLag": "true", "tls": "enable"}}


def of_worker(service: str) -> Object:
    return {
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": f"{service}-worker", "namespace": "lifang"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": f"{service}-worker"},
            "minReplicaCount": FEWEST, "maxReplicaCount": PARTITIONS, "pollingInterval": 15, "cooldownPeriod": 600,
            "fallback": {"failureThreshold": 4, "replicas": FEWEST},
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": BEHAVIOR}},
            "triggers": [trigger(service, source) for source in HEARS[service]]}}


def who(service: str) -> Object:
    """With the certificate of the service whose lag it is."""
    parts = (("ca", "kafka-cluster-ca-cert", "ca.crt"), ("cert", service, "user.crt"), ("key", service, "user.key"))
    return {
        "apiVersion": "keda.sh/v1alpha1", "kind": "TriggerAuthentication", "metadata": {"name": f"{service}-kafka", "namespace": "lifang"},
        "spec": {"secretTargetRef": [{"parameter": parameter, "name": name, "key": key} for parameter, name, key in parts]}}


def network() -> Object:
    keda = {"namespaceSelector": selector({"kubernetes.io/metadata.name": "keda"})}
    return policy("kafka-from-keda", selector(BROKER), "Ingress", [keda], tcp(KAFKA))


def files() -> dict[str, str]:
    """By their place below deploy/k8s."""
    hearing = [service for service in SERVICES if HEARS[service]]
    apis = kustomization(
        "Component", resources=["scalers.yaml"], patches=[no_replicas("Deployment", f"{COMPONENT}=api")])
    workers = kustomization(
        "Component", resources=["scalers.yaml", "network.yaml"],
        patches=[no_replicas("StatefulSet", f"{COMPONENT}=worker,app.kubernetes.io/name in ({', '.join(hearing)})")])
    return {
        f"{HPA}/scalers.yaml": document(*map(of_api, SERVICES)),
        f"{HPA}/kustomization.yaml": document(apis, what="As many answer as are needed."),
        f"{KEDA}/scalers.yaml": document(*(one for service in hearing for one in (of_worker(service), who(service)))),
        f"{KEDA}/network.yaml": document(network()),
        f"{KEDA}/kustomization.yaml": document(workers, what="As many hear as are behind, and never more than a topic has partitions.")}
