"""Every place where something sealed is opened: what for, and whether it is shown to somebody else. A new one fails here until somebody
has thought of it: shown to another person it goes through `recorded_first`, so that the look is in the log before the answer."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OPENERS = {"open", "open_all", "in_full", "own_plates", "opened", "opened_all"}
"""Methods of the key ring, and functions that give what they open in the clear."""
HERE = {"identity/plates.py": {"_opened"}, "gateway/api/me.py": {"name_of"}, "gateway/api/people.py": {"name_of"}}
"""The same, where a name means that in one file alone."""
PLACES = {
    # shown to somebody else, the look on record before
    "identity/api/residents.py disclose_contact": "recorded",
    "identity/api/vehicles.py disclose_plate": "recorded",
    # shown to whoever it is of
    "identity/api/own_data.py read_own_data": "own",
    "parking/api/own_data.py read_own_data": "own",
    "gateway/api/cars.py shown": "own",
    "gateway/api/cars.py permit": "own",
    "gateway/api/export.py car": "own",
    "gateway/api/export.py permit": "own",
    "gateway/api/me.py read_me": "own",
    # of a visitor, to the host who has said it; masked to others
    "access/api/visitor_passes.py shown": "host",
    # what these open is shown by whoever calls them, above and below
    "identity/contacts.py in_full": "for others",
    "identity/plates.py in_full": "for others",
    "identity/plates.py own_plates": "for others",
    "identity/plates.py _opened": "for others",
    "gateway/api/unsealing.py opened": "for others",
    "gateway/api/unsealing.py opened_all": "for others",
    "gateway/api/unsealing.py name_of": "for others",
    "gateway/api/unsealing.py _alone": "for others",
    "parking/lane_desk.py opened": "for others",
    # shown masked
    "gateway/api/people.py look": "masked",
    "identity/contacts.py masked_contacts": "masked",
    "identity/plates.py masked_plates": "masked",
    "identity/api/consents.py with_names": "masked",
    "access/api/doors.py list_credentials": "masked",
    "parking/api/plates.py masked_plates": "masked",
    "gateway/api/unsealing.py masked_plates": "masked",
    # nobody's personal data: the secret that an authority has just been given
    "gateway/api/webhooks.py shown_once": "own",
    # compared or decided with, and not shown
    "gateway/webhooks/delivering.py _opened": "decided",
    "identity/ages.py under_14": "decided",
    "identity/plates.py register": "decided",
    "identity/plates.py correct": "decided",
    "identity/plates.py verify": "decided",
    "identity/plates.py holder_of": "decided",
    "access/reactions.py blind_index": "decided",
    "access/lately.py indexes_of": "decided",
    "access/visitors.py _scanned": "decided",
    "parking/api/lanes.py open_lane": "decided",
    "parking/lane_desk.py index_in": "decided",
    "parking/lane_desk.py judged": "decided",
    "parking/reactions/rights.py granted": "decided",
    "neighbors/names.py own_name": "decided",
    "neighbors/names.py check": "decided",
    # what members are called among each other: chosen for that, and it may give nobody away (`domain/name_rules.py`)
    "neighbors/names.py names_of": "pseudonym",
}


def places() -> set[str]:
    found = set()
    for path in sorted((ROOT / "services").rglob("*.py")):
        here = str(path.relative_to(ROOT / "services"))
        for function in ast.walk(ast.parse(path.read_text())):
            is_function = isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            if is_function and any(opens(node, HERE.get(here, set())) for node in own_nodes(function)):
                found.add(f"{here} {function.name}")
    return found


def own_nodes(function: ast.AST) -> list[ast.AST]:
    """What stands in the function and in no other inside it."""
    found, look = [], list(ast.iter_child_nodes(function))
    for node in look:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(node)
            look += ast.iter_child_nodes(node)
    return found


def opens(node: ast.AST, here: set[str] | frozenset[str] = frozenset()) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute):
        of = ast.unparse(node.func.value)
        return node.func.attr in OPENERS and (of.endswith("keyring") or of in ("contacts", "plates", "unsealing"))
    return isinstance(node.func, ast.Name) and node.func.id in (OPENERS - {"open"}) | here


def test_every_place_where_something_is_opened_has_been_thought_of() -> None:
    assert places() == set(PLACES)


@pytest.mark.parametrize("place", [place for place, why in PLACES.items() if why == "recorded"])
def test_what_is_shown_to_somebody_else_is_on_record_first(place: str) -> None:
    path, _, name = place.partition(" ")
    tree = ast.parse((ROOT / "services" / path).read_text())
    (function,) = [f for f in ast.walk(tree) if isinstance(f, ast.AsyncFunctionDef) and f.name == name]
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "recorded_first"]
    (call,) = calls
    inside = [n for n in ast.walk(call.args[1]) if opens(n)]
    assert inside == [n for n in ast.walk(function) if opens(n)], "opened nowhere but in what is shown after the record"
