"""Contact ID and DC-03: codes, places, users, and what cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.devices.adapters.dc09_data import Said, account_in, contact_id, sia


@pytest.mark.parametrize(("data", "said"), [
    ("#4A21|1130 01 003", Said("contact_id", "1130", 1, 3)),
    ("#12345A|1110 00 129", Said("contact_id", "1110", 0, 129)),
    ("|3110 02 007", Said("contact_id", "3110", 2, 7)),
    ("6130 01 003", Said("contact_id", "6130", 1, 3)),
    ("#4A21|1999 00 000", Said("contact_id", "1999", 0, 0)),
    ("#4A21|3400 00 012", Said("contact_id", "3400", 0, 12, user=True)),
    ("#77F0|1121 00 001", Said("contact_id", "1121", 0, 1, user=True)),
    ("#4A21|1423 01 004", Said("contact_id", "1423", 1, 4)),
    ("#4A21|1120 01 004", Said("contact_id", "1120", 1, 4)),
    ("#000010|E110 00 003", Said("contact_id", "1110", 0, 3)),
    ("#000010|R400 00 099", Said("contact_id", "3400", 0, 99, user=True)),
    ("#4A21|11A0 0F 00C", Said("contact_id", "11A0", None, None)),
])
def test_contact_id(data: str, said: Said) -> None:
    assert contact_id(data) == [said]


@pytest.mark.parametrize("data", [
    "", "#4A21|", "#4A21|2130 01 003", "#4A21|F130 01 003", "#4A21|1130 1 3", "#4A21|1130 01 0034", "1130-01-003", "Nri1/BA003"])
def test_what_is_no_contact_id(data: str) -> None:
    assert contact_id(data) == []


@pytest.mark.parametrize(("data", "said"), [
    ("#4A21|Nri1/BA003", [Said("sia", "BA", 1, 3)]),
    ("|Nri1/CL501", [Said("sia", "CL", 1, 501, user=True)]),
    ("Nri1/WA000", [Said("sia", "WA", 1, 0)]),
    ("#12345A|NFA129", [Said("sia", "FA", None, 129)]),
    ("#4A21|NRP", [Said("sia", "RP")]),
    ("#123456|Nri1CL0^VX FRONTE       ^", [Said("sia", "CL", 1, 0, user=True, text="VX FRONTE")]),
    ("#4A21|Nri1/BA003/FA004/BA005", [Said("sia", "BA", 1, 3), Said("sia", "FA", 1, 4), Said("sia", "BA", 1, 5)]),
    ("#4A21|Nri1/BA003/ri2/BA004", [Said("sia", "BA", 1, 3), Said("sia", "BA", 2, 4)]),
    ("#4A21|Nri1/BA003|Nri2/FA001", [Said("sia", "BA", 1, 3), Said("sia", "FA", 2, 1)]),
    ("#4A21|Nti14:05/id12/ri1/OP12", [Said("sia", "OP", 1, 12, user=True, marks=(("ti", "14:05"), ("id", "12")))]),
    ("#4A21|Nri1^Hall^id12^Joe^BA003^Door^", [Said("sia", "BA", 1, 3, text="Door", marks=(("id", "12"),))]),
    ("#4A21|Nri1^West|1^/BA003^Door^/ri2^East^/FA004^Attic^",
     [Said("sia", "BA", 1, 3, text="Door"), Said("sia", "FA", 2, 4, text="Attic")]),
    ("#4A21|Nri1/BA003/ri?/FA004", [Said("sia", "BA", 1, 3, findings=("data_unknown",))]),
    ("#4A21|Ori1/BA003", [Said("sia", "BA", 1, 3, history=True)]),
    ("#4A21|Nri12/TR0010 NOXXXXXXXXX", [Said("sia", "TR", 12, 10, text="NOXXXXXXXXX")]),
    ("#4A21|Nri04/OP001NM", [Said("sia", "OP", 4, 1, user=True)]),
    ("#4A21|Nri1/FA021^a|b/BA9^", [Said("sia", "FA", 1, 21, text="a|b/BA9")]),
    ("#4A21|Nri1/FA021^门^/BA002", [Said("sia", "FA", 1, 21, text="门"), Said("sia", "BA", 1, 2)]),
    ("#4A21|Nri1/BA003*'Hall'NM", [Said("sia", "BA", 1, 3, text="Hall")]),
    ("#4A21|Nri1/BA003|ABack door", [Said("sia", "BA", 1, 3, text="Back door")]),
    ("#4A21|Nri12345678/BA003", [Said("sia", "BA", 12345678, 3)]),
    (f"#4A21|Nri{'9' * 9}/BA003", [Said("sia", "BA", None, 3)]),
    (f"#4A21|Nri{'9' * 4301}/FA003", [Said("sia", "FA", None, 3)]),
    ("#4A21|Nri1/BA003|?", [Said("sia", "BA", 1, 3, findings=("data_unknown",))]),
])
def test_sia(data: str, said: list[Said]) -> None:
    assert sia(data) == said


@pytest.mark.parametrize("data", ["", "#4A21|", "#4A21|1130 01 003", "#4A21|N", "#4A21|Nri1/", "#4A21|ba003", "|||", "^^^"])
def test_what_is_no_sia(data: str) -> None:
    assert sia(data) == []


def test_the_account_that_the_data_name() -> None:
    assert [account_in(data) for data in ("#4a21|NBA1", "|NBA1", "NBA1", "#4A21", "")] == ["4A21", "", "", "", ""]


@given(st.text(alphabet="NO#|/^*'[]tiridBAFA0123 \n门", max_size=40))
def test_nothing_that_is_said_breaks_it(data: str) -> None:
    assert all(len(said.code) == 2 for said in sia(data)) and all(len(said.code) == 4 for said in contact_id(data))
