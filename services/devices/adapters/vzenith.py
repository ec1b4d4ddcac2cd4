"""tmp"""
import json
from datetime import UTC, datetime

from services.devices.adapters.report import Report, Unreadable


def read(body: bytes, content_type: str) -> list[Report]:
    try:
        r = json.loads(body)["AlarmInfoPlate"]["result"]["PlateResult"]
    except Exception as e:
        raise Unreadable("malformed") from e
    at = datetime.fromtimestamp(r["timeStamp"]["Timeval"]["sec"], UTC)
    at = at.replace(microsecond=r["timeStamp"]["Timeval"].get("usec", 0))
    return [Report(kind="plate_read", code="AlarmInfoPlate", plate=r["license"], plate_colour=str(r.get("colorType", "")), device_time=at, device_time_raw=str(at), history=bool(r.get("isoffline")), awaits_decision=True, lane_no=1, serial=None)]

def answer(admitted: bool) -> bytes:
    return json.dumps({"Response_AlarmInfoPlate": {"info": "ok" if admitted else "no"}}).encode()
