"""Which problems a route can answer with, and with which headers, found by reading its function and what that calls.

Followed are functions of the services and of the HTTP edge, and the deciders of the commands that they make. What a
function refuses by a computed code stays unlisted: documents say that their lists may lack some.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from types import FunctionType, MethodType
from typing import Any

from msgspec import Struct
from msgspec.structs import fields

from libs.eventkit.auth import Unauthorised
from libs.eventkit.decider import Decider, NotFound, Refused, Take
from libs.eventkit.http import DEEPEST, EARLIEST, LARGEST_BODY, LATEST, if_match
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import NOWHERE

FOLLOWED = ("services.", "libs.eventkit.http")
Codes = set[tuple[int, str]]
TOKEN = frozenset({
    "token_missing", "token_malformed", "token_forged", "token_expired", "token_not_yet", "token_audience", "token_issuer",
    "key_unknown"})
ALWAYS: Codes = {(500, "internal"), (503, "not_ready"), (503, "unavailable")}
WITH_BODY: Codes = {(400, "cut_off"), (413, "too_large")}
WITH_JSON: Codes = {(400, "nul_character"), (400, "too_deep")}
LIMITS = (
    f"Bodies have at most {LARGEST_BODY} bytes; JSON nests at most {DEEPEST} deep, and nothing is taken for another type than its own."
    f" Moments are of the years {EARLIEST.year} to {LATEST.year - 1}. Problems say when to come again: Retry-After, in seconds, with 429"
    " and 503; WWW-Authenticate with 401.")
BUDGETS = (
    "What is asked in vain (401, and 404 of different things) and every sign-in touch a budget of a minute: RateLimit-Policy and RateLimit"
    " say which, and what is left of it; one that is spent is 429 (draft-ietf-httpapi-ratelimit-headers). A query parameter that an"
    " operation does not name is passed over; a field of a body is not (422).")


class Reading:
    """What the functions behind one route may answer with, and which helpers they reach."""

    def __init__(self, deciders: Iterable[Decider[Any, Any]], path: str) -> None:
        """`path`: a 404 of the command's own subject is only met where the path names it."""
        self.deciders, self.path, self.if_match_needed = tuple(deciders), path, False
        self.seen: set[Any] = set()
        self.helpers, self.written = set[str](), set[str]()
        self.by_reason, self.reasons = False, set[str]()

    def refused(self) -> Codes:
        """What a judgement says no with, where a refusal repeats it."""
        return {(409, reason) for reason in self.reasons or {""}} if self.by_reason else set()

    def codes(self, function: Callable[..., Any]) -> Codes:
        plain = function.__func__ if isinstance(function, MethodType) else function
        if not isinstance(plain, FunctionType) or plain in self.seen:
            return set()
        if plain.__module__ == "libs.eventkit.http":
            self.helpers.add(plain.__name__)
        self.seen.add(plain)
        return self._of(tree_of(plain), names_of(function))

    def _of(self, node: ast.AST, names: dict[str, Any]) -> Codes:
        if isinstance(node, ast.Try):
            return self._tried(node, names)
        if isinstance(node, ast.arg | ast.MatchClass):  # a type that is only named
            return set()
        found: Codes = set()
        if isinstance(node, ast.Dict):
            self.written |= {str(key.value) for key in node.keys if isinstance(key, ast.Constant)}
        if isinstance(node, ast.Call):
            found |= self._said(node, resolved(node.func, names), names)
        if isinstance(node, ast.Name | ast.Attribute):
            found |= self._behind(resolved(node, names))
        skipped = getattr(node, "returns", None) or getattr(node, "annotation", None)
        return found.union(*(self._of(child, names) for child in ast.iter_child_nodes(node) if child is not skipped))

    def _tried(self, node: ast.Try, names: dict[str, Any]) -> Codes:
        """A refusal that is caught and told with another status is told with that one."""
        found: Codes = set[tuple[int, str]]().union(*(self._of(n, names) for n in node.body))
        rest = (*node.handlers, *node.orelse, *node.finalbody)
        after: Codes = set[tuple[int, str]]().union(*(self._of(n, names) for n in rest))
        caught = [h for h in node.handlers if h.type is not None and resolved(h.type, names) is Refused]
        for inner in (n for handler in caught for n in ast.walk(handler)):
            match inner:
                case ast.Call(args=[ast.Constant(value=int() as status), ast.Attribute(attr="code"), *_]):
                    found = {(status if s == 409 else s, code) for s, code in found}
                    after.discard((status, ""))
        return found | after

    def _said(self, call: ast.Call, what: Any, names: dict[str, Any]) -> Codes:
        """The problem that a call stands for. An empty code: one that is computed."""
        said = [a.value if isinstance(a, ast.Constant) else resolved(a, names) for a in call.args]
        texts = [text if isinstance(text, str | int) else "" for text in said]
        if what is if_match:
            self.if_match_needed |= any(k.arg == "required" for k in call.keywords)
        if what is Refused:
            self.by_reason |= (named := ast.unparse(call.args[0]).endswith(".reason"))
            return set() if named else {(409, str(texts[0]))}
        if isinstance(what, type) and issubclass(what, Struct) and texts[:1] == [False] and "reason" in what.__struct_fields__:
            self.reasons.add(str(texts[what.__struct_fields__.index("reason")]))
        if what is Unauthorised and texts[0]:
            return {(401, str(texts[0]))}
        if what is NotFound and texts[0]:
            return {(404, not_found(str(texts[0])))}
        if (what is Problem or parameters(what)[:2] == ("status", "code")) and isinstance(texts[0], int):
            return set() if isinstance(call.args[1], ast.Name) else {(texts[0], str(texts[1]))}
        if (at := parameters(what).index("code") if "code" in parameters(what) else 0) and texts[at:]:
            return {(passed, str(texts[at])) for passed in statuses_of(what)}
        given = [resolved(a, names) for a in call.args]
        return {(404, not_found(g.category)) for g in given if isinstance(g, Decider) and NOWHERE not in given}

    def _behind(self, what: Any) -> Codes:
        if isinstance(what, dict):
            self.written |= {key for key in what if isinstance(key, str)}
        if isinstance(what, type) and issubclass(what, Struct):
            return set[tuple[int, str]]().union(*(self._decided(what, d) for d in self.deciders if what in d.decide))
        plain = what.__func__ if isinstance(what, MethodType) else what
        if isinstance(plain, FunctionType) and plain.__module__.startswith(FOLLOWED):
            return self.codes(what)
        return set()

    def _decided(self, command: type[Struct], decider: Decider[Any, Any]) -> Codes:
        found = self.codes(decider.decide[command]) | {(409, code) for code in claimed(command, decider)}
        category = decider.category.replace("-", "_")
        named = any(f"_{category}".endswith(f"_{name}") for name in re.findall(r"{(\w+)_id}", self.path))
        return found | ({(404, not_found(decider.category))} if named else set())


def not_found(what: str) -> str:
    return f"{what}_not_found".replace("-", "_")


def parameters(what: Any) -> tuple[str, ...]:
    return what.__code__.co_varnames if isinstance(what, FunctionType) else ()


def statuses_of(function: Any) -> set[int]:
    """The statuses that a function gives to a code that it is handed."""
    found = set()
    for node in ast.walk(tree_of(function)):
        match node:
            case ast.Call(args=[ast.Constant(value=int() as status), ast.Name(id="code"), *_]):
                found.add(status)
    return found


def claimed(command: type[Struct], decider: Decider[Any, Any]) -> Iterator[str]:
    """The codes of what a command's events take, but where the case or condition around it names other commands alone, or other events than
    its decision. An empty code: a computed one."""
    names = names_of(decider.claims)
    mentioned = reached(decider.decide[command]) | {field.type for field in fields(command)}

    def concerns(*conditions: ast.AST | None) -> bool:
        named = {resolved(n, names) for c in conditions if c for n in ast.walk(c) if isinstance(n, ast.Name)}
        structs = {n for n in named if isinstance(n, type) and issubclass(n, Struct)}
        commands, events = structs & decider.decide.keys(), structs - decider.decide.keys()
        return (not commands or command in commands) and (not events or bool(events & mentioned))

    def taken(node: ast.AST) -> Iterator[ast.Call]:
        inner = [*ast.iter_child_nodes(node)]
        if isinstance(node, ast.match_case) and not concerns(node.pattern, node.guard):
            return
        if isinstance(node, ast.If) and not concerns(node.test):
            inner = [*node.orelse]
        if isinstance(node, ast.Call) and resolved(node.func, names) is Take:
            yield node
        for child in inner:
            yield from taken(child)

    for call in taken(tree_of(decider.claims)):
        code = call.args[2]
        yield str(code.value) if isinstance(code, ast.Constant) else resolved(code, names) or ""


def reached(function: Any, seen: frozenset[Any] = frozenset()) -> set[Any]:
    """What a function names, and what the functions of the services that it names do."""
    names = names_of(function)
    named = (resolved(n, names) for n in ast.walk(tree_of(function)) if isinstance(n, ast.Name))
    found = {what for what in named if isinstance(what, type | FunctionType)}
    for inner in found - seen:
        if isinstance(inner, FunctionType) and inner.__module__.startswith("services."):
            found |= reached(inner, seen | found)
    return found


@cache
def tree_of(function: Any) -> ast.AST:
    """The source as a tree; an empty one for a function that stands within an expression."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except SyntaxError:
        return ast.Module([], [])


def names_of(function: Any) -> dict[str, Any]:
    """What the free names in a function stand for; a method's own object included, and for a parameter of the services' its class."""
    plain = function.__func__ if isinstance(function, MethodType) else function
    cells = zip(plain.__code__.co_freevars, plain.__closure__ or (), strict=True)
    found = {**plain.__globals__}
    for name, cell in cells:
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not yet filled
            continue
    if isinstance(function, MethodType):
        found["self"] = function.__self__
    given = {k: v for k, v in plain.__annotations__.items() if isinstance(v, type) and v.__module__.startswith("services.")}
    return {k: v for k, v in found.items() if k not in plain.__code__.co_varnames or k == "self"} | given


def resolved(node: ast.AST, names: dict[str, Any]) -> Any:
    """What a dotted name stands for, or None."""
    match node:
        case ast.Name(id=name):
            return names.get(name)
        case ast.Attribute(value=value, attr=attr):
            return getattr(resolved(value, names), attr, None)
    return None
