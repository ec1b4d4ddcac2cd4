"""Who is called when, and what they read: rules speak of what is measured, and each has an entry in the runbook."""

import re
from collections.abc import Iterator
from functools import cache

from prometheus_client import REGISTRY

from cli.place import ROOT
from tests.deploy.k8s.rendering import Object
from tests.deploy.k8s.world import World, at

RUNBOOK = "docs/runbook.md"
SEVERITIES = {"critical", "warning", "info"}
BUILT_IN = {"up"}
WORD = re.compile(r"\blifang[a-z0-9_:]*\b|\bup\b")
LATEST = 15 * 60
SPANS = {"s": 1, "m": 60, "h": 3600}


@cache
def measured() -> frozenset[str]:
    """What our processes export, with the endings that Prometheus adds."""
    from libs.eventkit import obs
    from services.gateway import limits

    assert obs.LAG and limits.LIMITED
    found: set[str] = set()
    for metric in REGISTRY.collect():
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(metric.type, ("",))
        found |= {f"{metric.name}{end}" for end in ends}
    return frozenset(found)


@cache
def anchors() -> frozenset[str]:
    """Of the runbook's section on alerts, as a reader of Markdown makes them."""
    text = (ROOT / RUNBOOK).read_text().partition("\n## Alerts\n")[2].partition("\n## ")[0]
    headings = re.findall(r"^### (.+)$", text, re.MULTILINE)
    return frozenset(re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings)


@cache
def called() -> frozenset[str]:
    """The alerts that the runbook names."""
    return frozenset(re.findall(r"\*`(Lifang\w+)`", (ROOT / RUNBOOK).read_text()))


def seconds(span: object) -> int:
    found = re.fullmatch(r"(\d+)([smh])", str(span))
    return int(found[1]) * SPANS[found[2]] if found else -1


def alerts(world: World) -> Iterator[str]:
    for one in world.of("PrometheusRule"):
        rules: list[Object] = [rule for group in at(one, "spec", "groups", default=[]) for rule in group.get("rules") or ()]
        recorded = {rule["record"] for rule in rules if "record" in rule}
        links = set()
        for rule in rules:
            name = str(rule.get("alert", rule.get("record")))
            if unknown := set(WORD.findall(re.sub(r'"[^"]*"', "", str(rule.get("expr"))))) - measured() - recorded - BUILT_IN:
                yield f"{name}: speaks of what nobody measures: {sorted(unknown)}"
            if not WORD.findall(str(rule.get("expr"))):
                yield f"{name}: is never told"
            if "alert" in rule:
                yield from (f"{name}: {text}" for text in alert(rule))
                links.add(str(at(rule, "annotations", "runbook_url")).partition("#")[2])
        names = {str(rule["alert"]) for rule in rules if "alert" in rule}
        if names != called():
            yield f"the runbook speaks of other alerts: {sorted(names ^ called())}"
        if links != anchors():
            yield f"alerts and runbook do not go together: {sorted(links ^ anchors())}"
        named = [str(rule.get("alert", rule.get("record"))) for rule in rules]
        if len(named) != len(set(named)) or not all(re.fullmatch(r"Lifang[A-Za-z]+|lifang:[a-z_]+", each) for each in named):
            yield f"names of rules: {sorted(named)}"


def alert(rule: Object) -> Iterator[str]:
    if at(rule, "labels", "severity") not in SEVERITIES:
        yield "concerns nobody"
    if not str(at(rule, "annotations", "runbook_url")).startswith(f"{RUNBOOK}#"):
        yield "does not say what to do"
    if len(str(at(rule, "annotations", "summary"))) < 20:
        yield "does not say what is the matter"
    if "for" not in rule and "increase(" not in str(rule.get("expr")):
        yield "is told at the first sign"
    if "for" in rule and not 0 <= seconds(rule["for"]) <= (3600 if at(rule, "labels", "severity") == "info" else LATEST):
        yield f"is told after {rule['for']}"
