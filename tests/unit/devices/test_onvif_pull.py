import base64
import hashlib
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from services.devices.adapters import onvif_pull
from services.devices.adapters.onvif_pull import (
    CAPABILITIES,
    SERVICES,
    TIME,
    UNSUBSCRIBE,
    Call,
    Endpoint,
    Fault,
    SignIn,
    envelope,
    event_service,
    password_digest,
    pull,
    pulled,
    read,
    read_seconds,
    read_time,
    refused,
    renew,
    subscribe,
    subscribed,
    there,
)
from services.devices.adapters.report import Unreadable

BASE = "http://192.0.2.17:8080"
MESSAGE = UUID("0b1c2d3e-0000-4000-8000-000000000001")
CREATED = datetime(2010, 9, 16, 7, 50, 45, tzinfo=UTC)
NAMES = {
    "s": "http://www.w3.org/2003/05/soap-envelope", "a": "http://www.w3.org/2005/08/addressing",
    "e": "http://www.onvif.org/ver10/events/wsdl", "d": "http://www.onvif.org/ver10/device/wsdl",
    "n": "http://docs.oasis-open.org/wsn/b-2",
    "sec": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "u": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
}


PLAIN = Endpoint(BASE)


def asked(call: Call, endpoint: Endpoint = PLAIN, sign_in: SignIn | None = None) -> etree._Element:
    return etree.fromstring(envelope(call, endpoint, MESSAGE, sign_in))


def text(root: etree._Element, path: str) -> str | None:
    return root.findtext(path, None, NAMES)


def soap(body: str) -> bytes:
    return f'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Header/><e:Body>{body}</e:Body></e:Envelope>'.encode()


def answer(body: str) -> etree._Element:
    return read(soap(body), "application/soap+xml; charset=utf-8")


def subscription(address: str, parameters: str = "", more: str = "") -> etree._Element:
    reference = f"<w:Address>{address}</w:Address><w:ReferenceParameters>{parameters}</w:ReferenceParameters>"
    return answer(
        f'<CreatePullPointSubscriptionResponse xmlns:w="{NAMES["a"]}" xmlns:x="urn:x">'
        f"<SubscriptionReference>{reference}</SubscriptionReference>{more}</CreatePullPointSubscriptionResponse>")


# signing in


def test_the_digest_of_the_example_in_onvifs_guide_for_programmers() -> None:
    sign_in = SignIn("user", "userpassword", CREATED, base64.b64decode("LKqI6G/AikKCQrN0zqZFlg=="))
    assert password_digest(sign_in) == "tuOSpGlFlIXsozq4HFNeeGeFLEI="


def test_a_request_says_all_from_which_the_device_computes_the_same_digest() -> None:
    nonce = bytes(range(16))
    root = asked(CAPABILITIES, sign_in=SignIn("ädmin <&>", "pass wörd", CREATED, nonce))
    token = "s:Header/sec:Security/sec:UsernameToken"
    created = text(root, f"{token}/u:Created")
    assert (text(root, f"{token}/sec:Username"), created) == ("ädmin <&>", "2010-09-16T07:50:45Z")
    assert base64.b64decode(text(root, f"{token}/sec:Nonce") or "") == nonce
    expected = hashlib.sha1(nonce + (created or "").encode() + "pass wörd".encode()).digest()
    assert text(root, f"{token}/sec:Password") == base64.b64encode(expected).decode()
    password = root.find(f"{token}/sec:Password", NAMES)
    assert password is not None and password.get("Type", "").endswith("username-token-profile-1.0#PasswordDigest")
    assert b"pass w" not in etree.tostring(root)


def test_a_name_that_xml_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="XML"):
        asked(TIME, sign_in=SignIn("a\x00b", "x", CREATED, b"n"))


# asking


@pytest.mark.parametrize(("call", "path", "said"), [
    (TIME, "d:GetSystemDateAndTime", None),
    (CAPABILITIES, "d:GetCapabilities/d:Category", "Events"),
    (SERVICES, "d:GetServices/d:IncludeCapability", "false"),
    (subscribe(60), "e:CreatePullPointSubscription/e:InitialTerminationTime", "PT60S"),
    (pull(20.9, 100), "e:PullMessages/e:Timeout", "PT20S"),
    (pull(0.25, 7), "e:PullMessages/e:Timeout", "PT0.250S"),
    (pull(0, 7), "e:PullMessages/e:MessageLimit", "7"),
    (renew(600), "n:Renew/n:TerminationTime", "PT600S"),
    (UNSUBSCRIBE, "n:Unsubscribe", None),
])  # fmt: skip
def test_what_is_asked_and_as_what(call: Call, path: str, said: str | None) -> None:
    root = asked(call)
    found = root.find(f"s:Body/{path}", NAMES)
    assert found is not None and found.text == said
    assert root.find("s:Header/*", NAMES) is None, "a device service is asked without WS-Addressing, and unsigned for the time"
    name = etree.QName(root.find("s:Body/*", NAMES)).localname
    assert call.action.rpartition("/")[2] in (name, f"{name}Request") and f'action="{call.action}"' in call.content_type
    assert len(etree.tostring(asked(call))) == len(etree.tostring(root)), "asking takes nothing away from it"


def test_a_subscription_is_addressed_as_it_was_told_with_its_parameters() -> None:
    parameters = '<x:Id k="1">7 &lt; &amp; 8</x:Id>\n<y:Other xmlns:y="urn:y"><y:In>ä</y:In></y:Other>'
    endpoint = subscribed(subscription("http://192.168.1.64/sub?a=1&amp;b=%22", parameters), BASE).endpoint
    for _ in range(2):
        root = asked(pull(1, 1), endpoint)
        header = {child: text(root, f"s:Header/a:{child}") for child in ("Action", "To", "MessageID")}
        assert header == {
            "Action": "http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/PullMessagesRequest",
            "To": "http://192.168.1.64/sub?a=1&b=%22", "MessageID": f"urn:uuid:{MESSAGE}"}
        own, other = root.find("s:Header/{urn:x}Id", NAMES), root.find("s:Header/{urn:y}Other", NAMES)
        assert own is not None and other is not None
        assert (own.text, own.get("k"), own.tail, other.findtext("{urn:y}In")) == ("7 < & 8", "1", None, "ä")
        assert {each.get(f"{{{NAMES['a']}}}IsReferenceParameter") for each in (own, other)} == {"true"}


# addresses


@pytest.mark.parametrize(("told", "url"), [
    ("http://192.168.1.64/onvif/event_service", f"{BASE}/onvif/event_service"),
    ("https://192.168.1.64:8443/a/b?Idx=3&x=%20#part", f"{BASE}/a/b?Idx=3&x=%20"),
    ("http://evil.example", f"{BASE}/"),
    ("/onvif/event_service", f"{BASE}/onvif/event_service"),
    ("onvif/event_service", f"{BASE}/onvif/event_service"),
    ("http://u:p@evil.example/x", f"{BASE}/x"),
    ("//evil.example/x", f"{BASE}/x"),
    ("http://a//evil.example/x", f"{BASE}//evil.example/x"),
    ("@evil.example/x", f"{BASE}/@evil.example/x"),
    (":81/x", f"{BASE}/:81/x"),
    (" http://a/x\n", f"{BASE}/x"),
    ("http://a/x\r\nHost: evil", None),
    ("http://a/x y", None),
    ("http://a/ä", None),
    ("http://[::1/x", None),
    ("", None),
    ("http://a/" + "x" * 3000, None),
])
def test_an_address_is_never_of_another_host(told: str, url: str | None) -> None:
    if url is None:
        with pytest.raises(Unreadable):
            there(f"{BASE}/", told)
    else:
        assert there(f"{BASE}/", told) == url


@given(st.text(st.sampled_from("htp:/@[]\\.?#%&;a1é \n\t\x00"), max_size=40) | st.text(max_size=40))
def test_whatever_is_told_the_registered_host_is_called(told: str) -> None:
    try:
        url = httpx.URL(there(BASE, told))
    except Unreadable:
        return
    assert (url.scheme, url.host, url.port, url.userinfo) == ("http", "192.0.2.17", 8080, b"")


def test_where_the_events_are_is_told_in_the_old_way_and_in_the_new() -> None:
    told = "http://192.168.1.64/onvif/Events"
    old = answer(f"<GetCapabilitiesResponse><Capabilities><Events><XAddr>{told}</XAddr></Events></Capabilities></GetCapabilitiesResponse>")
    services = "".join(f"<Service><Namespace>{namespace}</Namespace><XAddr>{where}</XAddr></Service>" for namespace, where in (
        (NAMES["d"], "http://192.168.1.64/device"), (NAMES["e"], told)))
    for each in (old, answer(f"<GetServicesResponse>{services}</GetServicesResponse>")):
        assert event_service(each, BASE) == Endpoint(f"{BASE}/onvif/Events", told)
    with pytest.raises(Unreadable):
        event_service(answer("<GetServicesResponse/>"), BASE)


# times


def test_the_clock_of_a_device() -> None:
    date = "<Date><Year>2026</Year><Month>2</Month><Day>28</Day></Date>"
    time = "<Time><Hour>23</Hour><Minute>5</Minute><Second>60</Second></Time>"
    local = "<LocalDateTime/>"

    def told(inner: str) -> datetime | None:
        return read_time(answer(f"<R><SystemDateAndTime>{inner}</SystemDateAndTime></R>"))

    assert told(f"<UTCDateTime>{time}{date}</UTCDateTime>") == datetime(2026, 2, 28, 23, 5, 59, tzinfo=UTC)
    for bad in (local, "<UTCDateTime/>", f"<UTCDateTime>{time}{date.replace('28', '30')}</UTCDateTime>",
                f"<UTCDateTime>{time}{date.replace('2026', '-1')}</UTCDateTime>",
                f"<UTCDateTime>{time}{date.replace('2026', '9' * 40)}</UTCDateTime>"):
        assert told(bad) is None


@pytest.mark.parametrize(("now", "end", "seconds"), [
    ("2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", 60),
    ("2026-01-01T00:00:00Z", "2026-01-01T08:00:30+08:00", 30),
    ("2026-01-01T00:00:00", "2026-01-01T00:00:10.5", 10.5),
    ("2026-01-01T00:00:00Z", "2026-01-01T00:01:00", None),
    ("2026-01-01T00:01:00Z", "2026-01-01T00:00:00Z", None),
    ("2026-01-01T00:01:00Z", "", None),
    ("now", "then", None),
])
def test_how_long_a_subscription_lasts_is_said_by_one_clock(now: str, end: str, seconds: float | None) -> None:
    times = f"<CurrentTime>{now}</CurrentTime><TerminationTime>{end}</TerminationTime>"
    assert read_seconds(answer(f"<PullMessagesResponse>{times}</PullMessagesResponse>")) == seconds
    assert subscribed(subscription("http://a/b", more=times), BASE).seconds == seconds
    assert pulled(answer(f"<PullMessagesResponse>{times}<NotificationMessage/></PullMessagesResponse>")).messages == 1


# what is refused, and what is junk


def fault(subcode: str, detail: str = "") -> bytes:
    code = f"<e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>{subcode}</e:Value></e:Subcode></e:Code>"
    return soap(f"<e:Fault>{code}<e:Reason><e:Text>Zhang San</e:Text></e:Reason><e:Detail>{detail}</e:Detail></e:Fault>")


def test_a_fault_says_by_its_codes_what_it_is_and_quotes_nothing_else() -> None:
    with pytest.raises(Fault) as found:
        read(fault("ter:NotAuthorized"), "")
    assert (found.value.codes, str(found.value), found.value.not_authorised) == (("Sender", "NotAuthorized"), "Sender/NotAuthorized", True)
    with pytest.raises(Fault) as found:
        read(fault("x:Zhang\n San"), "")
    assert (str(found.value), found.value.not_authorised) == ("Sender", False)
    old = b'<E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/"><E:Body><E:Fault><faultcode>E:Server</faultcode>'
    with pytest.raises(Fault, match=r"\AServer\Z"):
        read(old + b"<faultstring>x</faultstring></E:Fault></E:Body></E:Envelope>", "text/xml")


def test_what_a_refused_pull_would_take() -> None:
    limits = "<PullMessagesFaultResponse><MaxTimeout>{}</MaxTimeout><MaxMessageLimit>{}</MaxMessageLimit></PullMessagesFaultResponse>"

    def told(timeout: str, limit: str) -> tuple[float | None, int | None]:
        found = refused(fault("ter:InvalidArgVal", limits.format(timeout, limit)), "", 400)
        return found.most_seconds, found.most_messages

    assert told("PT1M0.5S", "20") == (60.5, 20)
    assert told("P1DT1H", "1") == (90000, 1)
    assert told("P1Y", "-3") == (None, None)
    assert told("", "9" * 30) == (None, None)


def test_a_status_without_a_fault_is_one() -> None:
    for body in (b"", b"\x00", b"<html>", soap("<Fine/>")):
        found = refused(body, "text/html", 401)
        assert (found.codes, found.not_authorised) == (("http_401",), True)
    assert refused(fault("wsnt:UnableToDestroySubscriptionFault"), "", 500).codes == (
        "Sender", "UnableToDestroySubscriptionFault", "http_500")


JUNK = {
    "nothing": b"",
    "no xml": b"hello",
    "half": soap("<Fine/>")[:-20],
    "no soap": b"<html><Body><x/></Body></html>",
    "no body": b"<Envelope/>",
    "an empty body": soap(""),
    "entities": b'<!DOCTYPE x [<!ENTITY y "z">]>' + soap("<R>&y;</R>"),
    "deep": soap("<a>" * 80 + "</a>" * 80),
    "much": soap("<a/>" * 30_000),
    "nul": soap("<a>\x00</a>"),
}


@pytest.mark.parametrize("name", JUNK)
def test_junk_is_unreadable(name: str) -> None:
    with pytest.raises(Unreadable):
        read(JUNK[name], "application/soap+xml")


def test_what_is_no_subscription_or_of_too_many_parameters_is_unreadable() -> None:
    many, long = "<x:a/>" * (onvif_pull.MAX_PARAMETERS + 1), f"<x:a>{'b' * onvif_pull.MAX_PARAMETER_BYTES}</x:a>"
    for each in (
        answer("<CreatePullPointSubscriptionResponse/>"), answer("<Other><SubscriptionReference/></Other>"),
        subscription(""), subscription("http://a/b c"), subscription("http://a/b", many), subscription("http://a/b", long),
    ):  # fmt: skip
        with pytest.raises(Unreadable):
            subscribed(each, BASE)
    assert len(subscribed(subscription("http://a/b", "<x:a/>" * onvif_pull.MAX_PARAMETERS), BASE).endpoint.parameters) == 16
    with pytest.raises(Unreadable):
        pulled(answer("<Notify/>"))
