"""A display name shows and gives nobody away, however it is written."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.neighbors.domain.given_names import FIRST, SECOND, given_name, looks_given
from services.neighbors.domain.name_rules import NUMERALS, PROVINCES, normalised, parts_of, skeleton, why_not

OWN = "王安然"


@pytest.mark.parametrize("name", [
    "楼上的猫", "咖啡不加糖", "1号楼老王", "Moon Light", "小猫🐈", "三个火枪手", "A栋", "小满2024", "Ñandú", "安心", "然后呢",
    "12月的雨", "西楼88", "3号楼5朵花"])
def test_what_may_be_chosen(name):
    assert why_not(normalised(name), OWN) == ""


@pytest.mark.parametrize(("code", "name"), [
    ("contains_own_name", "王安然"), ("contains_own_name", "我是安然"), ("contains_own_name", "王 安 然"),
    ("contains_own_name", "安·然"), ("contains_own_name", "安-然家"), ("contains_own_name", "~安~然~"),
    ("contains_number", "13800000001"), ("contains_number", "138 0000 0001"), ("contains_number", "１３８００"),
    ("contains_number", "找我12345"), ("contains_number", "一三八零零"), ("contains_number", "٠١٢٣٤猫"), ("contains_number", "幺三八〇〇"),
    ("contains_plate", "沪A8K6P2"), ("contains_plate", "沪A·8K6P2"), ("contains_plate", "沪ad56789"), ("contains_plate", "我的京N 1B2C3"),
    ("contains_home_label", "1-2-303"), ("contains_home_label", "1－2－303"), ("contains_home_label", "303室的猫"),
    ("contains_home_label", "三零三室"), ("contains_home_label", "2单元小李"), ("contains_home_label", "5/303"),
    ("contains_home_label", "1号楼303号"), ("contains_home_label", "12 - 303"), ("contains_home_label", "3号楼501"),
    ("contains_home_label", "A栋1203"), ("contains_home_label", "三座五零一"), ("contains_home_label", "5幢 2203的猫"),
    ("contains_address", "ann@example.org"), ("contains_address", "http://a"), ("contains_address", "www.猫"),
    ("contains_address", "cat.com"), ("contains_address", "猫＠家"),
    ("display_name_characters", "小\u200b猫"), ("display_name_characters", "小\u202e猫"), ("display_name_characters", "小\x07猫"),
    ("display_name_characters", "小\u3164猫"), ("display_name_characters", "小\ufeff猫"), ("display_name_characters", "安\u2060然"),
    ("display_name_characters", "小\ue000猫"), ("display_name_characters", "猫\ufe0f咪"),
    ("display_name_length", "猫"), ("display_name_length", "！！！"), ("display_name_length", ""), ("display_name_length", "喵" * 17),
    ("display_name_looks_given", "青竹听雨07"), ("display_name_looks_given", "青竹 听雨 ０７"),
])
def test_what_may_not(code, name):
    assert why_not(normalised(name), OWN) == code


@pytest.mark.parametrize(("own", "name", "refused"), [
    ("王伟", "小伟", False), ("王伟", "王 伟", True), ("王伟", "老王", False),
    ("欧阳娜娜", "娜娜酱", True), ("欧阳娜娜", "欧阳", False), ("欧阳娜娜", "阳娜娜", True), ("李安琪儿", "安琪儿", True),
    ("李安琪儿", "琪儿", True), ("买买提·阿不都", "阿不都", True), ("买买提·阿不都", "买买提", True),
    ("John Smith", "john", True), ("John Smith", "J.o.h.n", True), ("John Smith", "SmithJohn", True), ("John Smith", "Jo", False),
    ("Li Na", "Lily", False), ("Li Na", "lina", True), ("Li Na", "na_li", True), ("José Núñez", "jose", True),
    ("王安然", "王安", False), ("ＡＮＮ", "ann cat", True), ("", "谁也不是", False), ("王", "国王", False),
])
def test_ones_own_name_in_any_width_case_or_spacing(own, name, refused):
    assert (why_not(normalised(name), own) == "contains_own_name") == refused


def test_two_names_that_are_not_to_be_told_apart_are_one():
    assert len({skeleton(normalised(n)) for n in ("Moon Light", "ＭＯＯＮ　ｌｉｇｈｔ", "moon-light", "Moön.Light")}) == 1
    assert skeleton("月光") != skeleton("月色") and skeleton("猫٣") == "猫3"


def test_a_name_has_two_to_sixteen_characters():
    assert [why_not("喵" * n, OWN) for n in (1, 2, 16, 17)] == ["display_name_length", "", "", "display_name_length"]


def test_the_parts_of_a_name():
    assert parts_of("王安然") == {"王安然", "安然"}
    assert parts_of("欧阳娜娜") == {"欧阳娜娜", "阳娜娜", "娜娜"}
    assert parts_of("王") == parts_of("") == frozenset()


@given(st.text(alphabet="abcdef0123456789-_", max_size=32), st.integers(0, 50))
def test_a_given_name_breaks_no_rule_but_that_nobody_may_choose_it(seed, attempt):
    name = given_name(seed, attempt)
    assert looks_given(name) and why_not(name, OWN) == "display_name_looks_given"
    assert name == given_name(seed, attempt) == normalised(name) == skeleton(name)
    assert why_not(name[:-1], "") == "", "it breaks no other"


def test_no_word_of_a_given_name_could_be_taken_for_something_else():
    words = [*FIRST, *SECOND]
    assert len(set(words)) == len(words) >= 90 and {len(w) for w in words} == {2}
    assert not any(c in NUMERALS for w in words for c in w)
    assert not any(w[0] in PROVINCES and w[1].isascii() for w in words)


@given(st.text(max_size=40), st.text(max_size=12))
@example("\udfff猫猫", OWN)
@example("ﷺ", "ﷺ")
@example("ﬁﬁﬁ", "FI FI")
def test_whatever_is_typed_gets_an_answer_and_what_is_taken_shows(text, own):
    name = normalised(text)
    code = why_not(name, own)
    if code == "":
        assert 2 <= len(name) <= 16 and len(skeleton(name)) >= 2
        assert name == normalised(name)
        assert not any(unicodedata.category(c).startswith("C") for c in name)
        assert not any(part in skeleton(name) for part in parts_of(own))


@given(st.integers(10_000, 10**15), st.sampled_from(["", " ", "-", "·", "　"]), st.sampled_from([0, 0xFF10 - 0x30, 0x0660 - 0x30]))
def test_no_long_number_gets_through_in_any_digits(number, between, shift):
    text = between.join(chr(ord(c) + shift) for c in str(number))[:16]
    assert why_not(normalised(text), "") != ""


@given(st.sampled_from(["王安然", "安然"]), st.sampled_from(["", " ", "-", "·", "　", "*", "1"]), st.sampled_from(["", "小", "x "]))
def test_no_own_name_gets_through_with_signs_in_between(name, between, before):
    written = before + between.join(name)
    refused = why_not(normalised(written), OWN) == "contains_own_name"
    assert refused == (between != "1"), "a digit in between makes another name"
