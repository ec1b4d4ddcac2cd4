"""`python -m tests.vectors FILE…`: the rules, asked what vector files expect of them.

One line per difference, then `N passed, N failed`; ends with 1 where something failed or a vector has no rule here.
"""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from services.identity.national.organisation_codes import read_organisation_code
from services.identity.national.resident_ids import read_resident_id
from services.identity.national.telephones import read_telephone
from services.identity.national.text import Unacceptable
from services.parking.domain.plates import PlateRefused, compare, read_plate
from tests.unit.parking.vector_bills import run as bill
from tests.vectors.dc09_frames import difference as frame_difference

Vector = dict[str, Any]


def accepted(read: Callable[[], Any]) -> dict[str, Any]:
    """What came of reading, as the vectors say it: ok, normalised, finding (which outweighs normalised) or refused."""
    try:
        found = read()
    except (Unacceptable, PlateRefused) as refused:
        return {"outcome": "refused", "reason": refused.reason}
    outcome = "finding" if found.findings else "normalised" if found.normalised else "ok"
    fields = {f: getattr(found, f) for f in found.__struct_fields__}
    return fields | {
        "outcome": outcome, "findings": list(found.findings),
        **({"birth": found.birth.isoformat()} if "birth" in fields else {})}


RULES: dict[str, Callable[[Vector], dict[str, Any]]] = {
    "resident_id": lambda v: accepted(lambda: read_resident_id(v["input"], date.fromisoformat(v["as_of"]))),
    "organisation_code": lambda v: accepted(lambda: read_organisation_code(v["input"])),
    "mobile": lambda v: accepted(lambda: read_telephone(v["input"])),
    "plate": lambda v: accepted(lambda: read_plate(v["input"], v["source"])),
    "plate_pair": lambda v: {"outcome": compare(v["a"], v["b"]), "auto_merge": False},
}


def differences(document: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Each vector's id, and what is different or None. A rule that breaks down over a vector has failed it."""
    for vector in [*document.get("recorded", []), *document.get("built", [])] or document.get("vectors", [{}]):
        wanted: Any = vector.get("expected", vector.get("expected_fen"))
        try:
            got: Any = f"no rule here for {vector.get('type', 'this file')}"
            if "hex" in vector:
                wanted, got = frame_difference(vector)
            elif "tariff" in vector:
                wanted, got = expected_bill(vector), bill(vector, document)
            elif vector.get("type") in RULES:
                found = RULES[vector["type"]](vector)
                got = {key: found.get(key) for key in {**wanted, **({"findings": ()} if found["outcome"] == "finding" else {})}}
        except Exception as error:
            got = f"{type(error).__name__}: {error}"
        yield str(vector.get("id", "–")), None if got == wanted else f"expected {wanted}, got {got}"


def expected_bill(vector: Vector) -> list[int]:
    """The total, and where there are several stays each stay's share."""
    return [vector["expected_fen"], *(stay["expected_fen"] for stay in vector.get("stays", ()))]


def main(paths: list[str]) -> int:
    passed = failed = 0
    for path in paths:
        for name, difference in differences(json.loads(Path(path).read_text())):
            if difference is None:
                passed += 1
            else:
                failed += 1
                print(f"{Path(path).name} {name}: {difference}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
