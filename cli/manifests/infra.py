"""deploy/k8s/components/infra-plain: what of it follows from the services there are."""

from cli.manifests.arrows import BROKER, COMPONENT, KAFKA, NAME, POSTGRES, SERVICES, SPEAKING, STORING, database_of
from cli.manifests.network import among, of, pods, policy, selector, tcp
from cli.manifests.plain import Object, document, kustomization, written
from cli.manifests.secrets import volumes
from cli.providing import holders

PLACE = "components/infra-plain"
PROVIDING = {COMPONENT: "provide"}


def name_of_a_database(service: str) -> Object:
    """The same name, whatever runs the database."""
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": f"{service}-db-rw", "namespace": "lifang"},
        "spec": {"type": "ClusterIP", "selector": database_of(service),
                 "ports": [{"name": "postgres", "port": POSTGRES, "targetPort": "postgres"}]}}


def network() -> list[Object]:
    databases, topics, server = {NAME: "databases"} | PROVIDING, {NAME: "topics"} | PROVIDING, database_of(SERVICES[0])
    return [
        *(policy(f"{service}-plain-database-from-its-service", selector(database_of(service)), "Ingress", pods(of(service, STORING)),
                 tcp(POSTGRES)) for service in SERVICES),
        policy("databases-from-who-makes-them", selector(server), "Ingress", pods(selector(databases)), tcp(POSTGRES)),
        policy("databases-are-made", selector(databases), "Egress", pods(selector(server)), tcp(POSTGRES)),
        policy("kafka-plain-from-services", selector(BROKER), "Ingress", pods(among(SERVICES, SPEAKING), selector(topics)), tcp(KAFKA)),
        policy("topics-are-made", selector(topics), "Egress", pods(selector(BROKER)), tcp(KAFKA))]


def secrets_patch(name: str, files: list[str]) -> Object:
    spec = {"template": {"spec": {"volumes": volumes(files)}}}
    patch = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}
    return {"patch": written(patch)}


def providing() -> Object:
    return kustomization(
        namePrefix="data-", resources=["account.yaml", "jobs.yaml"], components=["../../../base/hardened"],
        configMapGenerator=[{"name": "environment", "literals": [
            f"DATABASE_URL=postgresql://postgres@{SERVICES[0]}-db-rw:{POSTGRES}/postgres"]}],
        patches=[secrets_patch("databases", list(holders.of_databases())), secrets_patch("topics", list(holders.of_users()))])


def files() -> dict[str, str]:
    """By their place below deploy/k8s."""
    return {
        f"{PLACE}/names.yaml": document(*map(name_of_a_database, SERVICES)), f"{PLACE}/network.yaml": document(*network()),
        f"{PLACE}/providing/kustomization.yaml": document(providing())}
