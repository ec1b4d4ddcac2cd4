"""Tokens of the demo community: identity issues them to whoever may read the stack's `demo` secret."""

from typing import Any

from cli import screen
from cli.call import Away, call
from cli.place import Place
from cli.stack import secrets, services
from cli.stack.ports import Kept

ROLES = ("resident", "staff", "guard", "grid", "police", "operator", "device", "service")


class NoToken(Exception):
    """Identity does not answer, or refuses."""


def issue(place: Place, role: str, person: str | None = None) -> dict[str, Any]:
    """What identity answers, with the `access_token`. Raises NoToken."""
    try:
        url = services.url("identity", Kept.read(place).ports)
        authorization = {"authorization": f"Bearer {secrets.read(place, 'demo')}"}
        status, answer = call("POST", f"{url}/v1/demo-tokens", {"role": role, "as": person}, authorization, timeout=15)
    except (Away, KeyError, FileNotFoundError) as error:
        raise NoToken(f"identity does not answer ({error}). Type: lifang up") from error
    if status >= 300:
        raise NoToken(f"identity refuses a token for {role}: {status} {answer}")
    return dict(answer)


def token(place: Place, role: str, person: str | None = None) -> str:
    return str(issue(place, role, person)["access_token"])


def bearer(place: Place, role: str) -> dict[str, str]:
    """The header for a request in that role. Ends the command when there is no token to be had."""
    try:
        return {"authorization": f"Bearer {token(place, role)}"}
    except NoToken as error:
        screen.stop(str(error))
