"""What an ONVIF camera is asked so that its events can be pulled, and what it answers; pure.

Formats: Real-time Pull-Point Notification Interface (ONVIF Core Specification, event handling), in SOAP 1.2; `Renew` and `Unsubscribe`
of WS-BaseNotification 1.3; headers of WS-Addressing 1.0 and of the WSS UsernameToken Profile 1.0 (password digest).

1. Where a device tells an address, its path and query are meant, at the host that is registered: behind NAT devices tell their inner
   address, and no device may make us call another host. `To` repeats what was told.
2. The reference parameters of a subscription go with every request to it: some devices tell subscriptions apart by these alone.
3. A signature is `Created` by the device's own clock: most take one for a replay that is more than some seconds off it.
"""

import base64
import hashlib
import re
from copy import deepcopy
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID

from lxml import etree
from msgspec import Struct

from services.devices.adapters.charset import decode
from services.devices.adapters.device_clock import read_clock
from services.devices.adapters.documents import read_elements
from services.devices.adapters.report import Unreadable

DEVICE_SERVICE = "/onvif/device_service"
"""Where every device has it (ONVIF Core Specification, device management)."""
MAX_PARAMETERS, MAX_PARAMETER_BYTES = 16, 8192

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_ADDRESSING = "http://www.w3.org/2005/08/addressing"
_NOTIFICATION = "http://docs.oasis-open.org/wsn/b-2"
_DEVICE = "http://www.onvif.org/ver10/device/wsdl"
_EVENTS = "http://www.onvif.org/ver10/events/wsdl"
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_SECURITY, _UTILITY = f"{_WSS}wssecurity-secext-1.0.xsd", f"{_WSS}wssecurity-utility-1.0.xsd"
_DIGEST, _BASE64 = f"{_WSS}username-token-profile-1.0#PasswordDigest", f"{_WSS}soap-message-security-1.0#Base64Binary"
_SUBSCRIPTION = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager"

_PREFIXES = {
    "s": _SOAP, "wsa": _ADDRESSING, "wsnt": _NOTIFICATION, "tds": _DEVICE, "tev": _EVENTS, "wsse": _SECURITY, "wsu": _UTILITY}

_TARGET = re.compile(r"/[!-~]{0,2000}")
_CODE = re.compile(r"[A-Za-z0-9_]{1,60}")
_DURATION = re.compile(r"P(?:([0-9]{1,5})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6}(?:\.[0-9]{1,9})?)S)?)?")
_NOT_AUTHORISED = frozenset({"FailedAuthentication", "InvalidSecurity", "NotAuthorized", "Unauthorized", "http_401", "http_403"})


class Fault(Exception):
    """The device said no. `codes`: names of its SOAP fault, and `http_401` for the status of its answer. Of a refused PullMessages:
    the longest time in seconds and the most messages that the device would take, None where it does not say."""

    def __init__(self, *codes: str, most_seconds: float | None = None, most_messages: int | None = None) -> None:
        super().__init__(*codes)
        self.codes, self.most_seconds, self.most_messages = codes, most_seconds, most_messages

    def __str__(self) -> str:
        return "/".join(self.codes)

    @property
    def not_authorised(self) -> bool:
        return not _NOT_AUTHORISED.isdisjoint(self.codes)


class Endpoint(Struct, frozen=True):
    """Who is called at `url`. `told`: its address as the device told it; empty for a service that is asked without WS-Addressing."""

    url: str
    told: str = ""
    parameters: tuple[etree._Element, ...] = ()


class SignIn(Struct, frozen=True):
    """`created`: by the device's clock, in UTC. `nonce`: random, never used twice."""

    user: str
    password: str
    created: datetime
    nonce: bytes


class Call(Struct, frozen=True):
    action: str
    body: etree._Element

    @property
    def content_type(self) -> str:
        return f'application/soap+xml; charset=utf-8; action="{self.action}"'


class Subscribed(Struct, frozen=True):
    """`seconds`: how long it lasts from now on, None where the device did not say."""

    endpoint: Endpoint
    seconds: float | None


class Pulled(Struct, frozen=True):
    """`seconds`: as above."""

    messages: int
    seconds: float | None


# what is asked


def _element(name: str, *content: etree._Element | str, **attributes: str) -> etree._Element:
    """`name`: with one of our prefixes."""
    prefix, _, local = name.partition(":")
    element = etree.Element(f"{{{_PREFIXES[prefix]}}}{local}", attributes, _PREFIXES)
    for each in content:
        if isinstance(each, str):
            element.text = each
        else:
            element.append(each)
    return element


TIME = Call(f"{_DEVICE}/GetSystemDateAndTime", _element("tds:GetSystemDateAndTime"))
CAPABILITIES = Call(f"{_DEVICE}/GetCapabilities", _element("tds:GetCapabilities", _element("tds:Category", "Events")))
SERVICES = Call(f"{_DEVICE}/GetServices", _element("tds:GetServices", _element("tds:IncludeCapability", "false")))
UNSUBSCRIBE = Call(f"{_SUBSCRIPTION}/UnsubscribeRequest", _element("wsnt:Unsubscribe"))


def subscribe(seconds: float) -> Call:
    """A subscription to all events, for so long."""
    body = _element("tev:CreatePullPointSubscription", _element("tev:InitialTerminationTime", _duration(seconds)))
    return Call(f"{_EVENTS}/EventPortType/CreatePullPointSubscriptionRequest", body)


def pull(seconds: float, limit: int) -> Call:
    """At most `limit` notifications, as soon as there are any, and none after so long."""
    body = _element("tev:PullMessages", _element("tev:Timeout", _duration(seconds)), _element("tev:MessageLimit", str(limit)))
    return Call(f"{_EVENTS}/PullPointSubscription/PullMessagesRequest", body)


def renew(seconds: float) -> Call:
    return Call(f"{_SUBSCRIPTION}/RenewRequest", _element("wsnt:Renew", _element("wsnt:TerminationTime", _duration(seconds))))


def envelope(call: Call, endpoint: Endpoint, message_id: UUID, sign_in: SignIn | None) -> bytes:
    """The request. Raises ValueError for a user's name that XML cannot hold."""
    header = _element("s:Header")
    if endpoint.told:
        header.append(_element("wsa:Action", call.action))
        header.append(_element("wsa:MessageID", f"urn:uuid:{message_id}"))
        header.append(_element("wsa:To", endpoint.told))
    for parameter in endpoint.parameters:
        header.append(echoed := deepcopy(parameter))
        echoed.set(f"{{{_ADDRESSING}}}IsReferenceParameter", "true")
    if sign_in is not None:
        header.append(_security(sign_in))
    whole = _element("s:Envelope", header, _element("s:Body", deepcopy(call.body)))
    return bytes(etree.tostring(whole, encoding="utf-8", xml_declaration=True))


def password_digest(sign_in: SignIn) -> str:
    """Base64 of SHA-1 over nonce, `Created` and password (WSS UsernameToken Profile 1.0)."""
    said = sign_in.nonce + _instant(sign_in.created).encode() + sign_in.password.encode()
    return base64.b64encode(hashlib.sha1(said, usedforsecurity=False).digest()).decode()


def _security(sign_in: SignIn) -> etree._Element:
    return _element("wsse:Security", _element(
        "wsse:UsernameToken",
        _element("wsse:Username", sign_in.user),
        _element("wsse:Password", password_digest(sign_in), Type=_DIGEST),
        _element("wsse:Nonce", base64.b64encode(sign_in.nonce).decode(), EncodingType=_BASE64),
        _element("wsu:Created", _instant(sign_in.created))))


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _duration(seconds: float) -> str:
    """Whole seconds wherever there are any: not every device reads a fraction."""
    return f"PT{int(seconds)}S" if seconds >= 1 or not seconds else f"PT{seconds:.3f}S"


# what is answered


def read(body: bytes, content_type: str) -> etree._Element:
    """What stands in the SOAP body. Raises Fault, and Unreadable for what is no SOAP."""
    roots, _ = read_elements(decode(body, content_type)[0])
    answer = next((each for root in roots for each in root.iterfind("{*}Body/*") if _name(root) == "Envelope"), None)
    if answer is None:
        raise Unreadable("not_an_event", "no SOAP envelope")
    if _name(answer) == "Fault":
        raise _fault(answer)
    return answer


def refused(body: bytes, content_type: str, status: int) -> Fault:
    """What an answer of another HTTP status than success says."""
    try:
        read(body, content_type)
    except Fault as fault:
        fault.codes = (*fault.codes, f"http_{status}")
        return fault
    except Unreadable:
        pass
    return Fault(f"http_{status}")


def read_time(answer: etree._Element) -> datetime | None:
    """The device's clock in UTC; None where the device does not say it so."""
    told = answer.find("{*}SystemDateAndTime/{*}UTCDateTime")
    parts = [_number(_text(told, f"{{*}}{path}")) for path in (
        "Date/{*}Year", "Date/{*}Month", "Date/{*}Day", "Time/{*}Hour", "Time/{*}Minute", "Time/{*}Second")]
    year, month, day, hour, minute, second = (-1 if part is None else part for part in parts)
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def event_service(answer: etree._Element, base_url: str) -> Endpoint:
    """From the answer to `CAPABILITIES` or `SERVICES`. Raises Unreadable where it has none."""
    told = _text(answer, "{*}Capabilities/{*}Events/{*}XAddr")
    for service in answer.iterfind("{*}Service"):
        if _text(service, "{*}Namespace") == _EVENTS:
            told = told or _text(service, "{*}XAddr")
    return Endpoint(there(base_url, told), told)


def subscribed(answer: etree._Element, base_url: str) -> Subscribed:
    """Raises Unreadable where no subscription is told."""
    reference = answer.find("{*}SubscriptionReference")
    if _name(answer) != "CreatePullPointSubscriptionResponse" or reference is None:
        raise Unreadable("not_an_event", "no subscription")
    told = _text(reference, "{*}Address")
    # ReferenceProperties: of the WS-Addressing of 2004, which some devices speak
    parameters = [each for part in ("Parameters", "Properties") for each in reference.iterfind(f"{{*}}Reference{part}/*")]
    if len(parameters) > MAX_PARAMETERS or sum(len(etree.tostring(each)) for each in parameters) > MAX_PARAMETER_BYTES:
        raise Unreadable("too_many", "reference parameters")
    for each in parameters:
        each.tail = None
    return Subscribed(Endpoint(there(base_url, told), told, tuple(parameters)), read_seconds(answer))


def pulled(answer: etree._Element) -> Pulled:
    """Raises Unreadable for what is no PullMessagesResponse."""
    if _name(answer) != "PullMessagesResponse":
        raise Unreadable("not_an_event", "no PullMessagesResponse")
    return Pulled(sum(1 for _ in answer.iterfind("{*}NotificationMessage")), read_seconds(answer))


def read_seconds(answer: etree._Element) -> float | None:
    """How long a subscription lasts, by the device's own clock alone; None where that cannot be read, or is over."""
    (now, _), (end, _) = (read_clock(_text(answer, f"{{*}}{name}")) for name in ("CurrentTime", "TerminationTime"))
    if now is None or end is None or (now.tzinfo is None) != (end.tzinfo is None):
        return None
    seconds = (end - now).total_seconds()
    return seconds if seconds > 0 else None


def there(base_url: str, told: str) -> str:
    """The path and query of an address at the host, port and scheme of `base_url`. Raises Unreadable."""
    try:
        host, address = urlsplit(base_url), urlsplit(told.strip())
    except ValueError:
        raise Unreadable("malformed", "address") from None
    target = f"/{address.path.removeprefix('/')}" + (f"?{address.query}" if address.query else "")
    if not told.strip() or not _TARGET.fullmatch(target):
        raise Unreadable("malformed", "address")
    return f"{host.scheme}://{host.netloc}{target}"


def _fault(fault: etree._Element) -> Fault:
    said = [each.text or "" for each in (*fault.iterfind("{*}Code//{*}Value"), *fault.iterfind("{*}faultcode"))]
    codes = [code for each in said if _CODE.fullmatch(code := each.strip().rpartition(":")[2])]
    limits = next(fault.iter("{*}PullMessagesFaultResponse"), None)
    return Fault(
        *(codes[:4] or ["Fault"]), most_seconds=_seconds(_text(limits, "{*}MaxTimeout")),
        most_messages=_number(_text(limits, "{*}MaxMessageLimit")))


def _seconds(duration: str) -> float | None:
    """Of an xs:duration without years and months; None for anything else."""
    found = _DURATION.fullmatch(duration)
    return sum(float(n or 0) * unit for n, unit in zip(found.groups(), (86400, 3600, 60, 1), strict=True)) if found else None


def _number(said: str) -> int | None:
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= 9 else None


def _text(element: etree._Element | None, path: str) -> str:
    return (element.findtext(path) or "").strip() if element is not None else ""


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname
