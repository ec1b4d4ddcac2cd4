"""Phone numbers in one form, and what they are found by."""

from uuid import UUID, uuid5

import phonenumbers

from libs.eventkit.privacy import BlindIndex
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import NOWHERE
from services.identity.domain.accounts import PHONE

HOME_REGION = "CN"


def e164(text: str) -> str:
    """The number in E.164; without a country code it is one of mainland China. Raises Problem 422 phone_invalid."""
    try:
        number = phonenumbers.parse(text, HOME_REGION)
    except phonenumbers.NumberParseException as error:
        raise Problem(422, "phone_invalid") from error
    if not phonenumbers.is_valid_number(number):
        raise Problem(422, "phone_invalid")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def account_index(blind: BlindIndex, community_id: UUID, phone: str) -> str:
    """What finds the phone's account in one community."""
    return blind.of(community_id, PHONE, phone)


def stream_id(blind: BlindIndex, phone: str) -> UUID:
    """The id under which the codes of a phone are counted."""
    return uuid5(NOWHERE, blind.of(NOWHERE, "sign-in-phone", phone))
