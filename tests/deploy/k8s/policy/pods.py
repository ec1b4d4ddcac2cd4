"""What each pod may do, and what it is given: of every pod, whoever's it is."""

from collections.abc import Iterator
from typing import Any

from tests.deploy.k8s.rendering import Object
from tests.deploy.k8s.world import COMPONENT, NAME, PART, Workload, World, at

USER = 10_001
"""Who our images run as."""
READABLE = 0o440
POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
COMPONENTS = {"api", "worker", "relay", "keeper", "panels", "all", "migrate", "operation", "data", "provide", "secrets", "desk"}
HOST = ("hostNetwork", "hostPID", "hostIPC", "hostUsers", "shareProcessNamespace")
KINDS_OF_VOLUMES = {"projected", "emptyDir", "configMap", "persistentVolumeClaim"}
DRAIN = 10
"""Seconds that a service takes at most to end (deploy/README.md)."""
LEAVES = 5
"""Seconds for which whatever is led to serves on at least."""
UNITS = {"m": 0.001, "": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}


def amount(of: Any) -> float:
    """0 for what is no quantity."""
    text = str(of)
    digits = text.rstrip("KMGTim")
    try:
        return float(digits) * UNITS[text[len(digits):]]
    except (ValueError, KeyError):
        return 0


def secured(pod: Object, containers: list[Object]) -> Iterator[str]:
    """Also of pods that an operator makes, where their settings are said."""
    context = pod.get("securityContext") or {}
    for name, wanted in POD.items():
        if context.get(name) != wanted:
            yield f"pod: {name} is not {wanted}"
    for name in ("runAsUser", "runAsGroup", "fsGroup"):
        if context.get(name) != USER:
            yield f"pod: {name} is not {USER}"
    for container in containers:
        own = container.get("securityContext") or {}
        if own != CONTAINER:
            yield f"container {container.get('name')}: securityContext is not {CONTAINER}"


def pod(world: World, one: Workload) -> Iterator[str]:
    yield from secured(one.pod, one.containers)
    if given := [name for name in HOST if name in one.pod]:
        yield f"the machine's: {given}"
    if one.pod.get("automountServiceAccountToken") is not False:
        yield "a token is mounted"
    if one.pod.get("enableServiceLinks") is not False:
        yield "services are told by the environment"
    account = world.named.get(("ServiceAccount", one.pod.get("serviceAccountName", "")))
    if account is None:
        yield "no account of its own"
    priority = world.named.get(("PriorityClass", one.pod.get("priorityClassName", "")))
    if priority is None:
        yield "no priority"
    wanted = {"CronJob": "lifang-operation"}.get(one.kind, "lifang-data" if one.component == "data" else "lifang-service")
    if one.pod.get("priorityClassName") != wanted:
        yield f"its priority is not {wanted}"
    for container in one.containers:
        yield from (f"container {container.get('name')}: {text}" for text in contained(one, container))
    yield from volumes(world, one)
    if at(one.pod, "securityContext", "fsGroupChangePolicy") != "OnRootMismatch":
        yield "a large volume is walked through at every start"
    name = {"data": one.service, "secrets": "secrets"}.get(one.component, "service")
    if [container.get("name") for container in one.containers] != [name]:
        yield "not one container of the name that is measured"
    yield from known(one)
    yield from ending(world, one)


def known(one: Workload) -> Iterator[str]:
    """Its labels, by which it is found, and its name, by which people call it."""
    own = at(one.object, "metadata", "labels", default={})
    made = at(one.object, "spec", "jobTemplate", "metadata", "labels", default={}) if one.kind == "CronJob" else own
    pods = {key: value for key, value in one.labels.items() if key in (PART, NAME, COMPONENT)}
    if own != pods or made != pods or pods.keys() != {PART, NAME, COMPONENT} or pods[PART] != "lifang":
        yield f"is not found by its labels: {own}"
    role = {"all": "worker", "operation": one.name.partition("-")[2]}.get(one.component, one.component)
    name = {"data": one.service, "secrets": "secrets", "provide": f"data-{one.service}"}.get(one.component, f"{one.service}-{role}")
    if one.name != name or one.component not in COMPONENTS:
        yield f"is called {one.name}, and is {one.component}"


def contained(one: Workload, container: Object) -> Iterator[str]:
    requests, limits = (at(container, "resources", kind, default={}) for kind in ("requests", "limits"))
    if not amount(requests.get("cpu")) or amount(requests.get("cpu")) > 4:
        yield "asks for no processor"
    if not amount(requests.get("memory")) > 32 << 20:
        yield "asks for no memory"
    if not amount(requests.get("memory")) <= amount(limits.get("memory")) <= 4 << 30:
        yield "no limit of memory"
    if "cpu" in limits:
        yield "its processor is limited: it would stand still for no reason"
    if container.get("imagePullPolicy") != "IfNotPresent":
        yield "image is not pulled if it is not there"
    for variable in container.get("env") or ():
        if "secretKeyRef" in (variable.get("valueFrom") or {}):
            yield f"{variable['name']}: a secret in the environment"
        if "@" in str(variable.get("value")) and "://" in str(variable.get("value")) and ":" in str(variable["value"]).split("@")[0][8:]:
            yield f"{variable['name']}: a password in the environment"
    if any("secretRef" in source for source in container.get("envFrom") or ()):
        yield "secrets in the environment"
    if any("hostPort" in port for port in container.get("ports") or ()):
        yield "a port of the machine"
    image = str(container.get("image"))
    if ":" not in image.rpartition("/")[2] or image.endswith(":latest"):
        yield f"image {image} may be any"


def volumes(world: World, one: Workload) -> Iterator[str]:
    claims = {at(claim, "metadata", "name") for claim in at(one.object, "spec", "volumeClaimTemplates", default=[])}
    found = {volume.get("name"): volume for volume in at(one.pod, "volumes", default=[])}
    for container in one.containers:
        mounts = container.get("volumeMounts") or []
        if unknown := {mount.get("name") for mount in mounts} - found.keys() - claims:
            yield f"mounts what is not there: {unknown}"
        if unused := (found.keys() | claims) - {mount.get("name") for mount in mounts}:
            yield f"does not mount {unused}"
        for mount in mounts:
            is_secret = "projected" in found.get(mount.get("name"), {})
            if is_secret and mount.get("readOnly") is not True:
                yield f"{mount.get('mountPath')} can be written"
            if not is_secret and mount.get("readOnly"):
                yield f"{mount.get('mountPath')} cannot be written"
    for name, volume in found.items():
        kinds = volume.keys() - {"name"}
        if not kinds <= KINDS_OF_VOLUMES or len(kinds) != 1:
            yield f"volume {name}: {kinds}"
        if "emptyDir" in volume and not amount(at(volume, "emptyDir", "sizeLimit")) > 1 << 20:
            yield f"volume {name} has no bound"
        if "emptyDir" in volume and amount(at(volume, "emptyDir", "sizeLimit")) > 1 << 30:
            yield f"volume {name} has no bound worth the name"
        if "emptyDir" in volume and at(volume, "emptyDir", "medium") != (None if (one.service, name) == ("postgres", "tmp") else "Memory"):
            yield f"volume {name} is written to a disk, or takes memory"
        if "projected" in volume and at(volume, "projected", "defaultMode") != READABLE:
            yield f"volume {name}: who may read it is not 0440"


def given(one: Workload) -> dict[str, tuple[str, str]]:
    """By file, the Secret and the key it comes from."""
    found = {}
    for volume in at(one.pod, "volumes", default=[]):
        for each in at(volume, "projected", "sources", default=[]):
            for item in at(each, "secret", "items", default=[]):
                found[item.get("path")] = (at(each, "secret", "name"), item.get("key"))
            if "secret" in each and (not at(each, "secret", "items") or "optional" in each["secret"]):
                found["*"] = ("", "")
    return found


def ending(world: World, one: Workload) -> Iterator[str]:
    """Time to end in; and, where others are led to it, time for them to be led elsewhere."""
    grace, pauses = one.pod.get("terminationGracePeriodSeconds", 0), [0]
    for container in one.containers:
        pauses.append(at(container, "lifecycle", "preStop", "sleep", "seconds", default=0))
        pauses += [amount(v.get("value")) for v in container.get("env") or () if v.get("name") == "LIFANG_LEAVES"]
    if not max(pauses) + DRAIN <= grace <= 120:
        yield f"ends in {grace} s, which is not {max(pauses)} s and {DRAIN} s"
    if max(pauses) < {"panels": 2, "api": LEAVES, "all": LEAVES}.get(one.component, 0):
        yield "ends while it is still led to"
