"""Chinese: that somebody was erased, and by whom that was confirmed. Pure."""

from typing import Any

from libs.contracts.fields import Confirmed
from libs.contracts.identity import ResidentErased
from services.gateway.words.names import short

REASONS = {"own_wish": "应本人要求", "on_request": "由工作人员应本人请求", "retention": "因保存期已满", "restored": "因数据恢复前已删除"}
SERVICES = {"identity": "身份", "access": "门禁", "devices": "设备", "parking": "停车", "alarm": "警情", "neighbors": "邻里"}


def sentence(event: Any) -> str:
    """Empty for anything else."""
    match event:
        case ResidentErased():
            return f"人员{short(event.resident_id)}的个人信息已{REASONS[event.reason]}删除。"
        case Confirmed():
            service = str(type(event).__struct_config__.tag).partition(".")[0]
            return f"{SERVICES[service]}服务已确认：人员{short(event.resident_id)}的个人信息不再可读。"
        case _:
            return ""
