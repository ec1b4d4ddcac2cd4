"""`python -m cli.manifests`: writes those manifests of deploy/k8s that follow from the contracts and from what services are told.

Files that it no longer writes are removed: each begins with a line that says who wrote it.
"""

from pathlib import Path

from cli.manifests import demo, drill, external, infra, kafka, network, postgres, scaling, services
from cli.manifests.plain import HEAD
from cli.place import ROOT

PLACE = ROOT / "deploy" / "k8s"
PARTS = (services, network, infra, kafka, postgres, scaling, external, demo, drill)


def manifests() -> dict[Path, str]:
    """Every generated manifest as it has to be."""
    return {PLACE / name: text for part in PARTS for name, text in part.files().items()}


def generated() -> set[Path]:
    """Every file that says it is generated."""
    return {path for path in PLACE.rglob("*.yaml") if path.read_text().startswith(HEAD)}


def main() -> None:
    wanted = manifests()
    for path in generated() - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
