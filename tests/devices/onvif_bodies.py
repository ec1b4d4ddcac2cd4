"""Notifications of ONVIF cameras, in our own words, to the shape of what they send."""

from xml.sax.saxutils import escape, quoteattr

TYPE = 'application/soap+xml; charset=utf-8; action="http://docs.oasis-open.org/wsn/bw-2/NotificationConsumer/Notify"'
TIME = "2026-03-01T08:00:00.250Z"
CROSSED, MOTION = "tns1:RuleEngine/LineDetector/Crossed", "tns1:RuleEngine/CellMotionDetector/Motion"
_SPACES = (
    'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" '
    'xmlns:tns1="http://www.onvif.org/ver10/topics" xmlns:tnsaxis="http://www.axis.com/2009/event/topics"')
Items = dict[str, str]


def items(part: str, of: Items | None) -> str:
    inside = "".join(f"<tt:SimpleItem Name={quoteattr(name)} Value={quoteattr(value)}/>" for name, value in (of or {}).items())
    return f"<tt:{part}>{inside}</tt:{part}>" if of is not None else ""


def message(
    topic: str = MOTION, data: Items | None = None, source: Items | None = None, operation: str | None = "Changed", time: str | None = TIME,
) -> str:
    """One notification."""
    said = (f" UtcTime={quoteattr(time)}" if time is not None else "") + (f' PropertyOperation="{operation}"' if operation else "")
    return (
        '<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">'
        f"{escape(topic)}</wsnt:Topic><wsnt:Message><tt:Message{said}>{items('Source', source)}{items('Data', data)}</tt:Message>"
        "</wsnt:Message></wsnt:NotificationMessage>")


def stream(*messages: str) -> bytes:
    """As a metadata stream carries it."""
    return f"<tt:MetadataStream {_SPACES}>{''.join(f'<tt:Event>{each}</tt:Event>' for each in messages)}</tt:MetadataStream>".encode()


def soap(*messages: str, carrier: str = "wsnt:Notify") -> bytes:
    """As it is pushed, or pulled."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" {_SPACES} '
        f'xmlns:tev="http://www.onvif.org/ver10/events/wsdl"><s:Body><{carrier}>{"".join(messages)}</{carrier}></s:Body></s:Envelope>'
    ).encode()
