"""中文: what people have agreed to, who looked at whom, who was erased, and what readers have forgotten. Pure."""

from typing import Any

from libs.contracts import access, devices, identity
from libs.contracts.fields import Confirmed
from services.gateway.words.names import ERASED, Names, short

GONE = "已注销的居民"
PURPOSES = {"face": "以人脸通行", "sharing": "向政府部门提供个人信息", "notices": "以推送和短信接收通知"}
ROLES = {"staff": "物业人员", "guard": "值班员", "grid": "网格员", "police": "民警", "operator": "运维人员"}
WHY = {"own_wish": "应本人意愿", "on_request": "应请求", "retention": "因保存期限届满", "restored": "因数据恢复后须再次执行"}
ENDED = {"consent_withdrawn": "因本人撤回同意", "erased": "因本人已注销", "residence_ended": "因本人已离开本小区"}
SERVICES = {
    "identity": "身份服务", "access": "门禁服务", "alarm": "报警服务", "devices": "设备服务", "neighbors": "邻里服务",
    "parking": "停车服务"}


def whom(person_id: Any, names: Names) -> str:
    if person_id is None:
        return "未知人员"
    return GONE if names.get(person_id) == ERASED else f"人员{short(person_id)}"


def sentence(event: Any, names: Names) -> str:
    """Empty where it is not of these."""
    match event:
        case identity.ConsentGiven() | identity.ConsentWithdrawn():
            by = "" if event.by == event.resident_id else "（由监护人代为表示）"
            agrees = "同意" if isinstance(event, identity.ConsentGiven) else "不再同意"
            return f"{whom(event.resident_id, names)}{agrees}{PURPOSES[event.purpose]}{by}。"
        case identity.ResidentLookedAt():
            return f"{ROLES.get(event.role, '有人')}查看了{whom(event.resident_id, names)}的个人信息。"
        case identity.ResidentErased():
            return f"{WHY.get(event.reason, event.reason)}，一名居民的个人信息已删除。"
        case Confirmed():
            service = str(event.__struct_config__.tag).partition(".")[0]
            return f"{SERVICES.get(service, service)}确认不再保存已注销居民的任何个人信息。"
        case access.FaceIssued():
            return f"{whom(event.person_id, names)}可以以人脸通行。"
        case access.FaceRevoked():
            why = ENDED.get(event.reason, "")
            return f"{f'{why}，' if why else ''}{whom(event.person_id, names)}的人脸不再有效。"
        case devices.TemplateRemovalWanted():
            return f"须从设备“{names.get(event.device_id) or short(event.device_id)}”中删除一份凭证的人脸。"
        case devices.TemplateRemoved():
            return f"设备“{names.get(event.device_id) or short(event.device_id)}”确认已删除该人脸。"
        case devices.TemplateNotRemoved(reason="reader_gone"):
            return f"设备“{names.get(event.device_id) or short(event.device_id)}”在确认删除该人脸之前已停用，不再通知。"
        case devices.TemplateNotRemoved():
            device = names.get(event.device_id) or short(event.device_id)
            return f"设备“{device}”尚未确认删除该人脸（第 {event.attempt} 次）。"
        case _:
            return ""
