"""Phones in one form, and what they are found by."""

import os
from uuid import UUID

import pytest

from libs.eventkit.privacy import BlindIndex
from libs.eventkit.problems import Problem
from services.identity.phone_numbers import account_index, e164, stream_id

PHONE = "+8613800000001"


@pytest.mark.parametrize("text", ["13800000001", "+86 138 0000 0001", "0086 138-0000-0001", " 138 0000 0001 "])
def test_a_phone_has_one_form(text: str):
    assert e164(text) == PHONE


def test_a_phone_of_another_country_keeps_it():
    assert e164("+852 6123 4567") == "+85261234567"


@pytest.mark.parametrize("text", ["", "phone", "110", "1380000", "+999 1234567", "1380000000１１"])
def test_what_is_no_phone_is_refused(text: str):
    with pytest.raises(Problem, match="phone_invalid"):
        e164(text)


def test_a_phone_is_found_within_one_community_only():
    blind = BlindIndex(os.urandom(32))
    assert account_index(blind, UUID(int=1), PHONE) != account_index(blind, UUID(int=2), PHONE)
    assert stream_id(blind, PHONE) == stream_id(blind, PHONE) != stream_id(BlindIndex(os.urandom(32)), PHONE)
