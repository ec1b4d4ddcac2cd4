"""Devices': what staff register and enrol, and what was found in what devices say. What devices report goes to devices itself."""

from functools import partial

from libs.contracts.permissions import DEVICES_MANAGE, DEVICES_READ
from libs.eventkit.http import open_to_all, permitted
from services.gateway.api.passing import PassedOn

devices = partial(PassedOn, "devices")
MANAGER, READER = permitted(DEVICES_MANAGE), permitted(DEVICES_READ)

TABLE = (
    devices("POST", "/v1/devices", MANAGER, "register_device", 201),
    devices("GET", "/v1/devices", READER, "list_devices"),
    devices("GET", "/v1/devices/{device_id}", MANAGER, "show_device"),
    devices("PUT", "/v1/devices/{device_id}", MANAGER, "describe_device"),
    devices("DELETE", "/v1/devices/{device_id}", MANAGER, "retire_device"),
    devices("POST", "/v1/devices/{device_id}/enrolments", open_to_all, "enrol_device", 201),
    devices("POST", "/v1/devices/{device_id}/enrolment-codes", MANAGER, "reissue_credential", 201),
    devices("PUT", "/v1/devices/{device_id}/address", MANAGER, "move_device"),
    devices("GET", "/v1/devices/{device_id}/findings", READER, "list_device_findings"),
    devices("GET", "/v1/devices/unplaced-findings", READER, "list_unplaced_findings"),
)
