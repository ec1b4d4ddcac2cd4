"""What the topics of ONVIF events say, as kinds of our own.

Topics of the namespace `http://www.onvif.org/ver10/topics`: ONVIF Core Specification (event handling, device), Imaging Service
(`VideoSource`), Analytics Service (`RuleEngine`, `VideoAnalytics`, `AudioAnalytics`), Device IO Service (`Device/Trigger`), Recording
Control (`RecordingConfig`). Of `http://www.axis.com/2009/event/topics`: the vendor's VAPIX event documentation. Whatever begins
like none of these is unknown. The longest beginning counts.
"""

from collections.abc import Mapping

from services.devices.adapters.report import Kind

NAMESPACES: Mapping[str, str] = {
    "http://www.onvif.org/ver10/topics": "tns1", "http://www.axis.com/2009/event/topics": "tnsaxis"}
"""How a namespace is written here, whatever prefix a device has for it."""

_KINDS: Mapping[Kind, str] = {
    "camera_alarm": "RuleEngine VideoAnalytics AudioAnalytics UserAlarm VideoSource/MotionAlarm VideoSource/MotionDetection "
    "AudioSource/TriggerLevel CameraApplicationPlatform Video/Motion",
    "pir": "Device/Sensor/PIR",
    "io_alarm": "Device/Trigger/DigitalInput Device/IO",
    "tamper": "RuleEngine/TamperDetector VideoSource/GlobalSceneChange VideoSource/Tampering Device/Casing Device/Tampering",
    "device_trouble": "VideoSource/ImageTooBlurry VideoSource/ImageTooDark VideoSource/ImageTooBright VideoSource/SignalLoss "
    "VideoSource/SignalStandardMismatch VideoSource/VideoLoss Device/HardwareFailure Device/Status Device/Network Storage "
    "Monitoring/ProcessorUsage",
    "operation": "Configuration Device/Light Device/OperationMode Device/Trigger/Relay LightControl Media MediaControl Monitoring "
    "PTZController Profile RecordingConfig RecordingHistory RuleEngine/CountAggregation Trigger/Relay VideoSource/DayNightVision "
    "VideoSource/LiveStreamAccessed",
}
_BEGINNINGS: Mapping[tuple[str, ...], Kind] = {
    tuple(topic.split("/")): kind for kind, topics in _KINDS.items() for topic in topics.split()}


def kind_of(path: tuple[str, ...]) -> Kind:
    """`path`: the topic's names, without prefixes."""
    return next((_BEGINNINGS[path[:n]] for n in range(len(path), 0, -1) if path[:n] in _BEGINNINGS), "unknown")
