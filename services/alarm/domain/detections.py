"""What cameras see (视频智能分析) and inputs of devices feel, and when that is an alarm.

1. A contact against tampering, an input for fire and one for help say by themselves what is wrong: they raise it where their device is.
2. What a camera sees, what an input without a meaning feels, and a door that a reader takes for forced, is an alarm only where staff
   put a sensor on it: on a camera, input or door of the device, or on one of the events that it names. The sensor says of what kind.
   So nobody is called because somebody walks past a camera.
3. What a device had kept is still raised for a day, for nobody was told of it. What is older is history: a device that is set up sends
   all that it ever kept.
4. That it is still so is said again every second by some. It counts once, until it is over.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from services.alarm.domain.kinds import IncidentKind
from services.alarm.domain.sensors import ALARM_OF, SensorKind
from services.alarm.domain.signals import Alarm, alarm_of

TOLD_WITHIN = timedelta(days=1)
BY_ITSELF: Mapping[str, IncidentKind] = {"tamper": "tamper", "fire_input": "fire", "panic": "panic"}
NAMES: Mapping[str, tuple[str, str]] = {
    "camera_alarm": ("Camera alarm", "视频分析报警"), "pir": ("Motion sensor", "红外探测"), "io_alarm": ("Alarm input", "报警输入"),
    "tamper": ("Tamper", "防拆报警"), "fire_input": ("Fire input", "消防输入"), "panic": ("Panic", "紧急报警"),
    "door_forced": ("Door forced", "门被强行打开")}


def is_told_in_time(live: bool, device_time: datetime | None, now: datetime) -> bool:
    """Whether anything follows from it. What is late and does not say from when is history."""
    return live or (device_time is not None and now - device_time <= TOLD_WITHIN)


def detected(kind: str, sensor: SensorKind | None) -> Alarm | None:
    """The alarm that it is, where a sensor of this kind is on it; None: it is none."""
    if (itself := BY_ITSELF.get(kind)) is not None:
        return alarm_of(itself)
    return alarm_of(ALARM_OF.get(sensor, "other")) if sensor is not None else None
