"""multipart bodies (RFC 2046, RFC 7578) as Hikvision devices really send them.

Quirks accepted: bare LF line ends, delimiters repeated without a part between them, a boundary parameter that is
missing, that differs from the body's first line, or that already carries its two dashes.
A body without its closing delimiter is refused: it was cut off.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from services.devices.adapters.report import Unreadable

MAX_PARTS, MAX_HEADER_BYTES = 200, 8192

_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;,"]{1,200}))', re.IGNORECASE)
_FIRST_LINE = re.compile(rb"\A\s*--([!-~][ -~]{0,199}?)[ \t]*\r?\n")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_PARAMETERS = re.compile(r';\s*(name|filename)\s*=\s*(?:"([^"]{0,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_NEWLINE = ord("\n")
_IMAGES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"BM", b"GIF8")


class Part(Struct, frozen=True):
    name: str
    filename: str
    content_type: str
    content: bytes

    @property
    def is_picture(self) -> bool:
        return self.content_type.startswith("image/") or self.content.startswith(_IMAGES)

    @property
    def is_document(self) -> bool:
        """JSON or XML by its content: parts are named event_log, AccessControllerEvent, anpr.xml, or not at all."""
        return not self.is_picture and self.content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[", b"<")


def split(body: bytes, content_type: str) -> list[Part]:
    """The parts in their order. Raises Unreadable: bad_multipart, truncated, too_many."""
    delimiter = _delimiter(body, content_type)
    parts: list[Part] = []
    begin: int | None = None
    for found in _delimiters(body, delimiter):
        if begin is not None and (raw := body[begin : found.start()]).strip():
            parts.append(part(raw.removesuffix(b"\n").removesuffix(b"\r")))
        if len(parts) > MAX_PARTS:
            raise Unreadable("too_many", f"more than {MAX_PARTS} parts")
        if found["closing"]:
            return parts
        begin = found.end()
    raise Unreadable("truncated", "no closing delimiter")


def _delimiter(body: bytes, content_type: str) -> re.Pattern[bytes]:
    for boundary in _candidates(body, content_type):
        pattern = re.compile(rb"--" + re.escape(boundary) + rb"(?P<closing>--)?[ \t]*(?=\r?\n|\Z)")
        if any(_delimiters(body, pattern)):
            return pattern
    raise Unreadable("bad_multipart", "no delimiter")


def _delimiters(body: bytes, delimiter: re.Pattern[bytes]) -> Iterator[re.Match[bytes]]:
    """Those at the beginning of a line. Looked at afterwards: a pattern that begins with a fixed text is found many times faster."""
    return (found for found in delimiter.finditer(body) if found.start() == 0 or body[found.start() - 1] == _NEWLINE)


def _candidates(body: bytes, content_type: str) -> Iterator[bytes]:
    if declared := _BOUNDARY.search(content_type):
        boundary = (declared[1] or declared[2]).encode("utf-8", "replace")
        yield boundary
        yield boundary.removeprefix(b"--")
    if first := _FIRST_LINE.match(body):
        yield first[1]


def part(raw: bytes) -> Part:
    """What stands between two delimiters. Raises Unreadable (bad_multipart)."""
    blank = _BLANK_LINE.search(raw[: MAX_HEADER_BYTES + 4])
    if blank is None:
        raise Unreadable("bad_multipart", "part without a blank line after its headers")
    headers = dict(_headers(raw[: blank.start()]))
    disposition = _PARAMETERS.findall(headers.get("content-disposition", ""))
    parameters = {name.lower(): quoted or bare for name, quoted, bare in disposition}
    return Part(
        name=parameters.get("name", ""),
        filename=parameters.get("filename", ""),
        content_type=headers.get("content-type", "").lower(),
        content=raw[blank.end() :],
    )


def _headers(raw: bytes) -> Iterator[tuple[str, str]]:
    for line in raw.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip().lower(), value.strip()
