"""Where a webhook may point (S9): to a public address, by HTTPS, and to nothing of ours.

The name is looked up before each connection, and the connection goes to an address that was looked at: a name that leads elsewhere a
moment later leads nowhere.
"""

import asyncio
import os
import socket
from concurrent.futures import Executor
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from msgspec import Struct

from libs.eventkit.tail import within

PRIVATE = "LIFANG_WEBHOOKS_PRIVATE"
"""The variable of the environment: 1 lets webhooks go to private addresses, by HTTP, to any port: for tests and the local stack."""
PORTS = (443, 8443)
LONGEST = 2000
NEVER = tuple(ip_network(n) for n in (
    "100.64.0.0/10",  # shared by carriers (RFC 6598), and a cloud's metadata
    "168.63.129.16/32",  # a cloud's own services, at a public address
    "192.0.0.0/24", "198.18.0.0/15",
    "2001::/23", "2002::/16",  # another address stands inside (RFC 4380, 3056)
))
GIVEN_OUT = ip_network("2000::/3")
"""All of IPv6 that is given out for use in the open network; what maps or embeds an address of IPv4 elsewhere lies outside."""


class Refused(Exception):
    """`code`: why it may not go there; stable."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Place(Struct, frozen=True):
    """`path`: with its query, as it is asked for."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{bracketed(self.host)}:{self.port}"


def private_allowed() -> bool:
    return os.environ.get(PRIVATE, "") == "1"


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def place_of(url: str, private: bool = False) -> Place:
    """Raises Refused: malformed, not_https, credentials, fragment, port."""
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise Refused("malformed")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise Refused("malformed") from None
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise Refused("not_https")
    if "@" in parts.netloc:
        raise Refused("credentials")
    if "#" in url:
        raise Refused("fragment")
    if not host or host.endswith(".") or "%" in host:
        raise Refused("malformed")
    port = port if port is not None else 443 if parts.scheme == "https" else 80
    if port not in PORTS and not private:
        raise Refused("port")
    return Place(parts.scheme, host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def is_public(text: str) -> bool:
    """Whether it is an address of the open network: not private, loopback, link-local, shared, multicast, reserved, nor one in which
    another stands."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and (address not in GIVEN_OUT or address.scope_id):
        return False
    if any(address.version == net.version and address in net for net in NEVER):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback or address.is_link_local)


async def addresses_of(place: Place, private: bool, seconds: float, executor: Executor | None = None) -> list[str]:
    """What the name stands for now. Raises Refused: name_unknown; address_refused where one of them is not public."""
    loop = asyncio.get_running_loop()

    def look() -> list[str]:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    try:
        found = await within(loop.run_in_executor(executor, look), seconds)
    except (OSError, UnicodeError, TimeoutError):
        raise Refused("name_unknown") from None
    if not private and not all(map(is_public, found)):
        raise Refused("address_refused")
    if not found:
        raise Refused("name_unknown")
    return found
