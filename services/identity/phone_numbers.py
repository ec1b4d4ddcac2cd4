"""Phone numbers in one form, and what they are found by."""

from uuid import UUID, uuid5

from libs.eventkit.privacy import BlindIndex
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import NOWHERE
from services.identity.domain.accounts import PHONE
from services.identity.national.telephones import Telephone, read_telephone
from services.identity.national.text import Unacceptable


def telephone(text: str) -> Telephone:
    """The number in its stored form: 11 digits for the mainland's, else with its country. Raises Problem 422 phone_invalid
    with the reason."""
    try:
        return read_telephone(text)
    except Unacceptable as refused:
        raise Problem(422, "phone_invalid", reason=refused.reason) from refused


def e164(text: str) -> str:
    """The number in E.164, by which accounts are found and codes are sent. Raises Problem 422 phone_invalid."""
    value = telephone(text).value
    return value if value.startswith("+") else f"+86{value}"


def account_index(blind: BlindIndex, community_id: UUID, phone: str) -> str:
    """What finds the phone's account in one community."""
    return blind.of(community_id, PHONE, phone)


def stream_id(blind: BlindIndex, phone: str) -> UUID:
    """The id under which the codes of a phone are counted."""
    return uuid5(NOWHERE, blind.of(NOWHERE, "sign-in-phone", phone))
