import pytest

from services.devices.adapters import multipart
from services.devices.adapters.report import Unreadable
from tests.devices.bodies import JPEG, access_json, multipart_body

EVENT = ('name="AccessControllerEvent"', "application/json", access_json())
PICTURE = ('name="Picture"; filename="Picture.jpg"', "image/jpeg", JPEG)
FORM = "multipart/form-data; boundary=MIME_boundary"


def refused(body: bytes, content_type: str = FORM) -> str:
    with pytest.raises(Unreadable) as refusal:
        multipart.split(body, content_type)
    return refusal.value.code


def test_parts_come_in_their_order_and_byte_for_byte() -> None:
    event, picture = multipart.split(multipart_body(EVENT, PICTURE), FORM)
    assert (event.name, event.filename, event.content_type) == ("AccessControllerEvent", "", "application/json")
    assert event.content == EVENT[2] and event.is_document and not event.is_picture
    assert (picture.name, picture.filename) == ("Picture", "Picture.jpg")
    assert picture.content == JPEG and picture.is_picture and not picture.is_document


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/form-data; boundary="MIME_boundary"',
        "multipart/form-data; charset=utf-8; Boundary = MIME_boundary",
        "multipart/form-data; boundary=--MIME_boundary",
        "multipart/form-data; boundary=another",
        "multipart/mixed",
        "application/json",
    ],
)
def test_the_boundary_is_found_whatever_the_header_says(content_type: str) -> None:
    assert len(multipart.split(multipart_body(EVENT, PICTURE), content_type)) == 2


def test_line_ends_may_be_bare() -> None:
    (part,) = multipart.split(multipart_body(EVENT, line=b"\n"), FORM)
    assert part.content == EVENT[2]


def test_delimiters_without_a_part_between_them_are_passed_over() -> None:
    body = b"\r\n--MIME_boundary\r\n--MIME_boundary\r\n\r\n" + multipart_body(EVENT)
    assert [part.content for part in multipart.split(body, FORM)] == [EVENT[2]]


def test_a_part_needs_no_headers() -> None:
    (part,) = multipart.split(b"--x\r\n\r\n{}\r\n--x--", "multipart/form-data; boundary=x")
    assert part == multipart.Part(name="", filename="", content_type="", content=b"{}")


def test_a_boundary_inside_a_line_ends_nothing() -> None:
    content = b'{"a":"--MIME_boundary--"}'
    (part,) = multipart.split(multipart_body(("", "application/json", content)), FORM)
    assert part.content == content


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_what_was_cut_off_is_refused(share: float) -> None:
    body = multipart_body(EVENT, PICTURE)
    assert refused(body[: int(len(body) * share)]) == "truncated"


def test_what_has_no_delimiter_is_refused() -> None:
    assert refused(b"nothing of the kind") == "bad_multipart"
    assert refused(b"nothing of the kind", "multipart/form-data") == "bad_multipart"


def test_a_part_whose_headers_never_end_is_refused() -> None:
    assert refused(b"--MIME_boundary\r\nContent-Type: text/xml\r\n--MIME_boundary--") == "bad_multipart"
    assert refused(b"--MIME_boundary\r\nX: " + b"y" * 9000 + b"\r\n\r\n{}\r\n--MIME_boundary--") == "bad_multipart"


def test_there_is_a_limit_to_the_number_of_parts() -> None:
    assert refused(multipart_body(*[EVENT] * 201)) == "too_many"
