"""What a simulated ONVIF camera reads and says: SOAP 1.2 envelopes of its device and event services, and notifications.

Formats: ONVIF Core Specification (device management, event handling), WS-BaseNotification 1.3, WS-Addressing 1.0, WSS UsernameToken
Profile 1.0. Written from these alone, so that a mistake of those who pull is not made here again.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from lxml import etree
from msgspec import Struct

EVENTS = "http://www.onvif.org/ver10/events/wsdl"
_PREFIXES = {
    "env": "http://www.w3.org/2003/05/soap-envelope", "wsa5": "http://www.w3.org/2005/08/addressing", "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "tds": "http://www.onvif.org/ver10/device/wsdl", "tev": EVENTS, "tt": "http://www.onvif.org/ver10/schema",
    "tns1": "http://www.onvif.org/ver10/topics", "ter": "http://www.onvif.org/ver10/error", "sim": "http://simulator.example/subscriptions",
    "wsrf-rw": "http://docs.oasis-open.org/wsrf/rw-2",
    "wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"}
_NAMESPACES = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in _PREFIXES.items())

Items = dict[str, str]


class Event(Struct, frozen=True):
    """One thing that is so, or that happened where `operation` is empty; `at` by the camera's clock."""

    topic: str
    operation: str
    source: Items
    data: Items
    at: datetime


class Asked(Struct, frozen=True):
    """A request: the local name of what is asked, and what stands in its headers."""

    name: str
    body: etree._Element
    action: str = ""
    to: str = ""
    message_id: str = ""
    subscription: str = ""
    token: etree._Element | None = None

    def text(self, name: str) -> str:
        return (self.body.findtext(f".//{{*}}{name}") or "").strip()


def read(content: bytes) -> Asked | None:
    """None for what is no SOAP 1.2."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        return None
    asked = root.find("env:Body/*", _PREFIXES)
    if asked is None:
        return None
    action, to, message_id, subscription = (
        root.findtext(f"env:Header/{name}", "", _PREFIXES)
        for name in ("wsa5:Action", "wsa5:To", "wsa5:MessageID", "sim:SubscriptionId[@wsa5:IsReferenceParameter='true']"))
    return Asked(
        etree.QName(asked).localname, asked, action, to, message_id, subscription,
        root.find("env:Header/wsse:Security/wsse:UsernameToken", _PREFIXES))


def is_signed(token: etree._Element, user: str, password: str, now: datetime, off: float) -> str:
    """The nonce of a right token whose time is at most so many seconds off `now`; empty for any other."""
    name, digest, nonce, created = ((token.findtext(f"{{*}}{part}") or "") for part in ("Username", "Password", "Nonce", "Created"))
    try:
        at = datetime.fromisoformat(created)
        expected = hashlib.sha1(base64.b64decode(nonce) + created.encode() + password.encode(), usedforsecurity=False).digest()
    except ValueError:
        return ""
    right = name == user and base64.b64encode(expected).decode() == digest
    return nonce if right and at.tzinfo is not None and abs((at - now).total_seconds()) <= off else ""


def envelope(body: str, relates_to: str = "") -> bytes:
    """With what it answers in its header."""
    header = f"<env:Header><wsa5:RelatesTo>{escape(relates_to)}</wsa5:RelatesTo></env:Header>" if relates_to else ""
    return f'<?xml version="1.0" encoding="UTF-8"?><env:Envelope{_NAMESPACES}>{header}<env:Body>{body}</env:Body></env:Envelope>'.encode()


def fault(code: str, subcode: str, detail: str = "") -> bytes:
    more = f"<env:Detail>{detail}</env:Detail>" if detail else ""
    return envelope(
        f"<env:Fault><env:Code><env:Value>env:{code}</env:Value><env:Subcode><env:Value>{subcode}</env:Value></env:Subcode></env:Code>"
        f'<env:Reason><env:Text xml:lang="en">{subcode.partition(":")[2]}</env:Text></env:Reason>{more}</env:Fault>')


def date_and_time(now: datetime) -> str:
    return (
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType>"
        "<tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>CST-8</tt:TZ></tt:TimeZone><tt:UTCDateTime>"
        f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second></tt:Time>"
        f"<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date>"
        "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>")


def capabilities(address: str) -> str:
    return (
        f"<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Events><tt:XAddr>{escape(address)}</tt:XAddr>"
        "<tt:WSSubscriptionPolicySupport>false</tt:WSSubscriptionPolicySupport><tt:WSPullPointSupport>true</tt:WSPullPointSupport>"
        "</tt:Events></tds:Capabilities></tds:GetCapabilitiesResponse>")


def services(address: str, device_address: str) -> str:
    told = "".join(
        f"<tds:Service><tds:Namespace>{namespace}</tds:Namespace><tds:XAddr>{escape(where)}</tds:XAddr>"
        "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
        for namespace, where in ((_PREFIXES["tds"], device_address), (EVENTS, address)))
    return f"<tds:GetServicesResponse>{told}</tds:GetServicesResponse>"


def subscription(address: str, parameter: str, now: datetime, ends: datetime) -> str:
    told = f"<wsa5:ReferenceParameters><sim:SubscriptionId>{parameter}</sim:SubscriptionId></wsa5:ReferenceParameters>" if parameter else ""
    return (
        f"<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa5:Address>{escape(address)}</wsa5:Address>{told}"
        f"</tev:SubscriptionReference>{_times('wsnt', now, ends)}</tev:CreatePullPointSubscriptionResponse>")


def renewed(now: datetime, ends: datetime) -> str:
    return f"<wsnt:RenewResponse>{_times('wsnt', now, ends)}</wsnt:RenewResponse>"


def pulled(now: datetime, ends: datetime, events: Sequence[Event]) -> str:
    told = "".join(_notification(event) for event in events)
    return f"<tev:PullMessagesResponse>{_times('tev', now, ends)}{told}</tev:PullMessagesResponse>"


def _times(prefix: str, now: datetime, ends: datetime) -> str:
    return (
        f"<{prefix}:CurrentTime>{instant(now)}</{prefix}:CurrentTime><{prefix}:TerminationTime>{instant(ends)}</{prefix}:TerminationTime>")


def _notification(event: Event) -> str:
    operation = f' PropertyOperation="{event.operation}"' if event.operation else ""
    return (
        '<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">'
        f'{escape(event.topic)}</wsnt:Topic><wsnt:Message><tt:Message UtcTime="{instant(event.at)}"{operation}>'
        f"<tt:Source>{_items(event.source)}</tt:Source><tt:Data>{_items(event.data)}</tt:Data></tt:Message></wsnt:Message>"
        "</wsnt:NotificationMessage>")


def _items(items: Items) -> str:
    return "".join(f"<tt:SimpleItem Name={quoteattr(name)} Value={quoteattr(value)}/>" for name, value in items.items())


def instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
