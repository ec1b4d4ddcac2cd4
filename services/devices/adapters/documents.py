"""JSON and XML bodies as one kind of tree: dictionaries, lists and primitives, without attributes and namespaces.

Limits: depth 32 (JSON) and 64 (XML), 100 documents a body, 20,000 nodes. Those of XML are enforced before a parser sees the text, those of
JSON before anybody sees what came of it: msgspec's own decoder ends where the interpreter's stack would.
"""

import re
from collections.abc import Iterator

import msgspec
from lxml import etree

from services.devices.adapters.report import Unreadable

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]
Tree = dict[str, Value]

JSON_DEPTH, XML_DEPTH, MAX_DOCUMENTS, MAX_NODES = 32, 64, 100, 20_000
MAX_TOKENS = 4 * MAX_NODES

_JSON_STRUCTURE = re.compile(r'"(?:[^"\\]+|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_BARE_AMPERSAND = re.compile(r"&(?!(?:#[0-9]{1,7}|#x[0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos);)")
_SKIPPED = (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"))
_TAG = re.compile(r"""<[^"'>]*+(?:"[^"]*+"[^"'>]*+|'[^']*+'[^"'>]*+)*+>""")
"""The value of an attribute may hold what ends a tag."""


def read_json(text: str) -> list[Tree]:
    """The objects of a JSON body: one, or a list of them. Raises Unreadable."""
    if len(text) > MAX_TOKENS:
        _check_json(text)
    if "\\u0000" in text and _ESCAPED_NUL.search(text):
        raise Unreadable("nul", "escaped NUL")
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
        _check_json(text)
        raise Unreadable("truncated" if "truncated" in str(problem) else "malformed", "JSON") from None
    values = value if isinstance(value, list) else [value]
    if len(values) > MAX_DOCUMENTS:
        raise Unreadable("too_many", f"more than {MAX_DOCUMENTS} documents")
    if not values or not all(isinstance(each, dict) for each in values):
        raise Unreadable("not_an_event", "no JSON object")
    if text.count("{") + text.count("[") > JSON_DEPTH:
        _check_depth(value)
    return values


def _check_depth(value: Value) -> None:
    """Raises Unreadable (too_deep)."""
    level, depth = [value], 0
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        if depth > JSON_DEPTH:
            raise Unreadable("too_deep", f"deeper than {JSON_DEPTH}")
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]


def _check_json(text: str) -> None:
    """Raises Unreadable for what is too deep or too much: asked about what is long enough for it, or was no JSON."""
    depth = 0
    for count, token in enumerate(_JSON_STRUCTURE.finditer(text)):
        match token[0]:
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
        if depth > JSON_DEPTH:
            raise Unreadable("too_deep", f"deeper than {JSON_DEPTH}")
        if count > MAX_TOKENS:
            raise Unreadable("too_many", f"more than {MAX_TOKENS} tokens")


def read_xml(text: str) -> tuple[list[Tree], tuple[str, ...]]:
    """The documents of an XML body as `{root name: content}`, and findings (`markup_repaired`). Raises Unreadable."""
    roots, findings = read_elements(text)
    return [{_name(root): _content(root)} for root in roots], findings


def read_elements(text: str) -> tuple[list[etree._Element], tuple[str, ...]]:
    """The root elements of an XML body, for whom attributes and namespaces count; and findings, as above. Raises Unreadable."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Unreadable("entities", "document type declaration")
    roots, findings = [], set[str]()
    for document in _xml_documents(text):
        root, repaired = _parse_xml(document)
        roots.append(root)
        findings.update(("markup_repaired",) if repaired else ())
    return roots, tuple(findings)


def _xml_documents(text: str) -> Iterator[str]:
    """Each root element from its first to its last character, found without a parser."""
    depth = start = end = count = nodes = 0
    for opened, closed, token in _tags(text):
        if depth == 0 and text[end:opened].strip("\ufeff \t\r\n"):
            raise Unreadable("malformed", "text outside the root element")
        end = closed if depth == 0 else end
        if depth == 0 and token != "skip":
            start, count = opened, count + 1
        nodes += token != "end"
        depth += {"start": 1, "end": -1, "both": 0, "skip": 0}[token]
        _check_xml_limits(depth, count, nodes)
        if token == "skip":
            continue
        if depth == 0:
            end = closed
            yield text[start:closed]
    if depth:
        raise Unreadable("truncated", "XML")
    if text[end:].strip("\ufeff \t\r\n"):
        raise Unreadable("malformed", "text outside the root element")


def _check_xml_limits(depth: int, count: int, nodes: int) -> None:
    if depth < 0:
        raise Unreadable("malformed", "end tag without start")
    if depth > XML_DEPTH:
        raise Unreadable("too_deep", f"deeper than {XML_DEPTH}")
    if count > MAX_DOCUMENTS or nodes > MAX_NODES:
        raise Unreadable("too_many", f"more than {MAX_DOCUMENTS} documents or {MAX_NODES} nodes")


def _tags(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, "start" | "end" | "both" | "skip") of everything in angle brackets; linear in the text."""
    position = 0
    while (opened := text.find("<", position)) >= 0:
        terminator = next((end for begin, end in _SKIPPED if text.startswith(begin, opened)), "")
        if terminator:
            found = text.find(terminator, opened)
            position = found + len(terminator) if found >= 0 else -1
        else:
            position = tag.end() if (tag := _TAG.match(text, opened)) else -1
        if position < 0:
            raise Unreadable("truncated", "XML")
        if terminator:
            yield opened, position, "skip"
        elif text.startswith("</", opened):
            yield opened, position, "end"
        else:
            yield opened, position, "both" if text[position - 2] == "/" else "start"


def _parse_xml(document: str) -> tuple[etree._Element, bool]:
    """Some cameras send names with a bare ampersand; nothing else is repaired."""
    root = _strict_xml(document)
    if root is not None:
        return root, False
    root = _strict_xml(_BARE_AMPERSAND.sub("&amp;", document))
    if root is None:
        raise Unreadable("malformed", "XML")
    return root, True


def _strict_xml(document: str) -> etree._Element | None:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True, huge_tree=False
    )
    try:
        return etree.fromstring(document.encode(), parser)
    except etree.XMLSyntaxError:
        return None


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname


def _content(element: etree._Element) -> Value:
    if len(element) == 0:
        return (element.text or "").strip()
    content: Tree = {}
    for child in element.iterchildren("*"):
        name, value = _name(child), _content(child)
        earlier = content.get(name)
        if isinstance(earlier, list):
            earlier.append(value)
        else:
            content[name] = [earlier, value] if name in content else value
    return content


def leaves(tree: Tree) -> Iterator[tuple[str, Value]]:
    """Every named primitive, outermost and first first. Raises Unreadable (too_many)."""
    level: list[tuple[str, Value]] = list(tree.items())
    seen = 0
    while level:
        seen += len(level)
        if seen > MAX_NODES:
            raise Unreadable("too_many", f"more than {MAX_NODES} nodes")
        deeper: list[tuple[str, Value]] = []
        for name, value in level:
            if isinstance(value, dict):
                deeper.extend(value.items())
            elif isinstance(value, list):
                deeper.extend((name, each) for each in value)
            else:
                yield name, value
        level = deeper
