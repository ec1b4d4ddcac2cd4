"""What may be registered: an alarm panel with an account, and nothing else with one."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.devices.api.devices import NewDevice

PANEL = {"kind": "dc09-panel", "name": "1号楼报警主机", "account": "4a21", "key_secret": "dc09-key", "supervise": 60}


@pytest.mark.parametrize("changed", [{}, {"account": "ABC"}, {"account": "0123456789ABCDEF"}, {"key_secret": "dc09-key-east"},
                                     {"key_secret": ""}, {"supervise": 0}])
def test_panels(changed: dict[str, Any]) -> None:
    NewDevice.model_validate(PANEL | changed)


@pytest.mark.parametrize("changed", [
    {"account": ""}, {"account": "12"}, {"account": "1" * 17}, {"account": "XYZ1"},
    {"key_secret": "device-password"}, {"key_secret": "dc09-key-../x"}, {"supervise": -1}, {"supervise": 999_999},
    {"kind": "vzenith-camera"}, {"kind": "vzenith-camera", "account": "", "key_secret": ""},
    {"kind": "vzenith-camera", "account": "", "supervise": 0}])
def test_what_is_none(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NewDevice.model_validate(PANEL | changed)


def test_other_devices_need_none_of_it() -> None:
    device = NewDevice(kind="vzenith-camera", name="camera")
    assert (device.account, device.key_secret, device.supervise) == ("", "", 0)
