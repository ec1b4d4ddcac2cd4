"""deploy/k8s/components/postgres-cnpg and backup: of each service a cluster of its own, its copies and its archive."""

from cli.manifests.arrows import COMPONENT, POSTGRES, SERVICES, STORING, database_of
from cli.manifests.network import of, pods, policy, selector, tcp
from cli.manifests.plain import Object, document, kustomization, platform, written
from cli.manifests.secrets import CONTAINERS, database_secret

PLACE, BACKUP = "components/postgres-cnpg", "components/backup"
VERSION, ARCHIVE = "postgresql.cnpg.io/v1", "barmancloud.cnpg.io/v1"
PLUGIN = "barman-cloud.cloudnative-pg.io"
IMAGE = "ghcr.io/cloudnative-pg/postgresql:18.4"
STATUS = 8000
"""Where the operator asks an instance how it is."""
OPERATOR = {"kubernetes.io/metadata.name": "cnpg-system"}
ROOT_CA = "/run/secrets/lifang/db-ca.crt"
TEMPLATE = ("Deployment", "StatefulSet", "Job")


def cluster(service: str) -> Object:
    name = f"{service}-db"
    return {
        "apiVersion": VERSION, "kind": "Cluster", "metadata": {"name": name},
        "spec": {
            "instances": 3,
            "imageName": IMAGE,
            "inheritedMetadata": {"labels": database_of(service) | {"app.kubernetes.io/part-of": "lifang"}},
            "enableSuperuserAccess": False,
            "enablePDB": True,
            "priorityClassName": "lifang-data",
            "bootstrap": {"initdb": {
                "database": service, "owner": f"{service}_owner", "secret": {"name": database_secret(service)}, "dataChecksums": True,
                "localeProvider": "builtin", "builtinLocale": "C.UTF-8", "localeCollate": "C.UTF-8", "localeCType": "C.UTF-8"}},
            "managed": {"roles": [{
                "name": f"{service}_owner", "ensure": "present", "login": True, "createrole": True, "superuser": False,
                "passwordSecret": {"name": database_secret(service)}}]},
            "postgresql": {
                "synchronous": {"method": "any", "number": 1, "dataDurability": "required", "failoverQuorum": True},
                "parameters": {
                    "max_connections": "200", "shared_buffers": "512MB", "synchronous_commit": "on", "wal_compression": "on",
                    "max_slot_wal_keep_size": "8GB", "timezone": "UTC"},
                "pg_hba": [
                    f"hostssl {service} {service}_owner,{service}_log,{service}_read all scram-sha-256", "hostnossl all all all reject"]},
            "storage": {"size": "100Gi"},
            "walStorage": {"size": "20Gi"},
            "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
            "affinity": {"enablePodAntiAffinity": True, "podAntiAffinityType": "required", "topologyKey": "kubernetes.io/hostname"},
            "topologySpreadConstraints": [{
                "maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"cnpg.io/cluster": name}}}],
            "seccompProfile": {"type": "RuntimeDefault"}}}


def network_of(service: str) -> list[Object]:
    """From its service; from the operator and its own other instances; among these."""
    database = selector(database_of(service))
    return [
        policy(f"{service}-database-from-its-service", database, "Ingress", pods(of(service, STORING)), tcp(POSTGRES)),
        policy(f"{service}-database-from-operator", database, "Ingress", [
            {"namespaceSelector": selector(OPERATOR)}, *pods(database)], tcp(STATUS, POSTGRES)),
        policy(f"{service}-database-to-itself", database, "Egress", pods(database), tcp(POSTGRES, STATUS))]


def root_patch(service: str, component: str) -> Object:
    """Whom to believe that it is the database."""
    at = ("/spec/jobTemplate" if component == "operation" else "") + "/spec/template/spec/volumes/0"
    source = {"secret": {"name": f"{service}-db-ca", "items": [{"key": "ca.crt", "path": ROOT_CA.rpartition("/")[2]}]}}
    operations = [{"op": "test", "path": f"{at}/name", "value": "secrets"},
                  {"op": "add", "path": f"{at}/projected/sources/-", "value": source}]
    kinds = "CronJob" if component == "operation" else f"({'|'.join(TEMPLATE)})"
    return {"target": {"kind": kinds, "labelSelector": f"app.kubernetes.io/name={service},{COMPONENT}={component}"},
            "patch": written(operations)}


def component() -> Object:
    return kustomization(
        "Component", resources=["clusters.yaml", "network.yaml", "operator.yaml"],
        configMapGenerator=[platform("PGSSLMODE=verify-full", f"PGSSLROOTCERT={ROOT_CA}")],
        patches=[root_patch(service, name) for service in SERVICES for name in CONTAINERS])


def scheduled(service: str) -> Object:
    return {
        "apiVersion": VERSION, "kind": "ScheduledBackup", "metadata": {"name": f"{service}-db-daily"},
        "spec": {
            "schedule": f"0 {10 + 5 * SERVICES.index(service)} 2 * * *", "immediate": True, "backupOwnerReference": "self",
            "cluster": {"name": f"{service}-db"}, "method": "plugin", "target": "prefer-standby",
            "pluginConfiguration": {"name": PLUGIN}}}


def archived(service: str) -> Object:
    """The archive's name is the cluster's first: one that was restored writes to another."""
    plugin = {"name": PLUGIN, "isWALArchiver": True, "parameters": {"barmanObjectName": "archive", "serverName": f"{service}-db"}}
    patch = {"apiVersion": VERSION, "kind": "Cluster", "metadata": {"name": f"{service}-db"}, "spec": {"plugins": [plugin]}}
    return {"target": {"kind": "Cluster", "name": f"{service}-db"}, "patch": written(patch)}


def backup() -> Object:
    return kustomization(
        "Component", resources=["archive.yaml", "scheduled.yaml"], patches=[archived(service) for service in SERVICES])


def files() -> dict[str, str]:
    """By their place below deploy/k8s."""
    network = [one for service in SERVICES for one in network_of(service)]
    return {
        f"{PLACE}/clusters.yaml": document(*map(cluster, SERVICES)), f"{PLACE}/network.yaml": document(*network),
        f"{PLACE}/kustomization.yaml": document(component(), what="PostgreSQL by CloudNativePG: of each service a cluster of three."),
        f"{BACKUP}/scheduled.yaml": document(*map(scheduled, SERVICES)),
        f"{BACKUP}/kustomization.yaml": document(backup(), what="A copy a day and every change since, in an archive outside the cluster.")}
