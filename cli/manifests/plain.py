"""YAML as a person would write it: no anchors, keys in the order given, text of several lines as a block."""

from typing import Any

import yaml

COMMAND = "python -m cli.manifests"
HEAD = f"# Written by `{COMMAND}`; do not edit."
Object = dict[str, Any]


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Plain.add_representer(str, _text)


def document(*objects: Object, what: str = "") -> str:
    """`what`: a sentence that says what stands in it."""
    head = f"{HEAD}\n" + (f"# {what}\n" if what else "")
    return head + "---\n".join(map(written, objects))


def written(of: Any) -> str:
    text: str = yaml.dump(of, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=140)
    return text


def kustomization(kind: str = "Kustomization", /, **fields: Any) -> Object:
    version = "v1beta1" if kind == "Kustomization" else "v1alpha1"
    return {"apiVersion": f"kustomize.config.k8s.io/{version}", "kind": kind} | fields


def platform(*literals: str) -> Object:
    """Changes what every service is told."""
    return {"name": "platform", "namespace": "lifang", "behavior": "merge", "literals": list(literals)}
