"""中文: one short sentence for each type of event. Pure."""

from typing import Any
from uuid import UUID

from libs.contracts import access, devices, identity, parking
from services.gateway.words import alarm_chinese, neighbors_chinese, people_chinese
from services.gateway.words import chinese_terms as terms
from services.gateway.words.alarm_chinese_terms import DETECTED
from services.gateway.words.names import Gone, Names, RightChanged, building_of, minute, moment, short, yuan

reached, _whom = neighbors_chinese.reached, people_chinese.whom
NO_WORDS = "发生了此网关没有词语描述的事。"
RETIRED = "此事所依据的内容已过保存期限并被删除：{type}。"
BECAUSE, THEN = "因为：", "随后："


def sentence(event: Any, names: Names) -> str:
    """What happened. Persons go by the end of their id: a name would have to be opened."""
    match event:
        case Gone():
            return RETIRED.format(type=event.type)
        case access.CredentialJudged():
            late = "" if event.live else "事后（依据设备留存记录）"
            verdict = "可以开启" if event.allowed else "不可以开启"
            return (f"门禁{late}判定：{_of(event.person_id, names)}{_what(event.means)}{verdict}{_door(event, names)}，"
                    f"规则“{_rule(event.rule)}”：{_why(event.reason)}。")
        case access.DoorPassed():
            whether = {True: "，门禁也会放行", False: "，而门禁不会放行", None: ""}[event.entitled]
            return f"{_door(event, names)}的设备自行放行了{_whom(event.person_id, names)}（{_what(event.means)}）{whether}。"
        case access.DoorOpeningOrdered():
            return (f"门禁下令为{_whom(event.person_id, names)}开启{_door(event, names)}（{_what(event.means)}），"
                    f"规则“{_rule(event.rule)}”：{_why(event.reason)}。")
        case access.DoorOpened():
            return f"{_door(event, names)}已为{_whom(event.person_id, names)}开启。"
        case access.DoorOpeningFailed():
            return f"{_door(event, names)}没有开启，或无从得知：{_why(event.reason)}。"
        case access.DoorNoticed():
            return f"设备报告{_door(event, names)}：{event.kind}（代码 {event.code}）。"
        case access.DoorInstalled():
            return f"{event.name}已安装于{_zone(event, names)}，由{_device(event, names)}控制。"
        case access.LiftInstalled():
            floors = "、".join(str(f.floor) for f in event.floors)
            where = f"可达楼层 {floors}" if floors else "可达楼层待定"
            return f"{_building(event, names)}的电梯{event.name}由{_device(event, names)}控制，{where}。"
        case access.RightGranted():
            return f"{_whom(event.person_id, names)}可以开启{_zone(event, names)}的门，规则“{_rule(event.rule)}”。"
        case access.RightRevoked():
            return f"{_whom(event.person_id, names)}不再可以开启{_zone(event, names)}的门。"
        case access.CredentialIssued():
            return f"已发给{_whom(event.person_id, names)}{_what(event.kind)}。"
        case access.CredentialRevoked():
            why = people_chinese.ENDED.get(event.reason, "")
            return f"{f'{why}，' if why else ''}{_of(event.person_id, names)}{_what(event.kind)}不再有效。"
        case access.VisitorPassIssued():
            return (f"{_whom(event.host_id, names)}邀请了访客（{terms.KINDS.get(event.kind, event.kind)}），"
                    f"自 {minute(event.valid_from)} 至 {minute(event.valid_until)}（UTC）有效。")
        case access.VisitorPassRevoked():
            return f"访客通行证已撤销：{_why(event.reason)}。"
        case access.VisitorPassUsed():
            return f"访客通行证在{_door(event, names)}使用。"
        case access.VisitorPassUseReturned():
            return "门未打开，访客通行证的这次使用不计次。"
        case access.VisitorArrived():
            return f"{_whom(event.host_id, names)}的访客已到达（{'车牌' if event.how == 'plate' else '门'}）。"
        case _:
            return _of_parking(event, names)


def _of_parking(event: Any, names: Names) -> str:
    match event:
        case parking.PassageJudged():
            late, verdict = "" if event.live else "事后", "可以通行" if event.admitted else "不可以通行"
            return f"停车{late}判定：{_lane(event, names)}的车辆{verdict}，规则“{_rule(event.rule)}”：{_why(event.reason)}。"
        case parking.BarrierOrdered():
            return f"停车下令抬起{_lane(event, names)}的道闸，规则“{_rule(event.rule)}”：{_why(event.reason)}。"
        case parking.SessionBegun():
            return f"{_of(event.person_id, names)}停车于 {moment(event.entered_at)}（UTC）开始。"
        case parking.SessionRecognised():
            if event.person_id is None:
                return "车辆已认定：停车自开始起按其权限计算。"
            whose = f"{_whom(event.person_id, names)}{'的访客' if event.pass_id else ''}"
            return f"已认定车辆属于{whose}，自停车开始起算。"
        case RightChanged():
            return f"{_of(event.person_id, names)}停车所依据的权限已变更。"
        case parking.SessionQuarantined():
            return "出场未被看到：该车不再计为在场，在工作人员处理之前不计费。"
        case parking.PermitHeld():
            return _permit(event, names)
        case parking.Billed():
            lines = "；".join(bill_line(line) for line in event.lines)
            paid = f"，已付 {yuan(event.paid)}" if event.paid else ""
            return f"停车费 {yuan(event.total)}{paid}，按收费标准 {event.tariff} 第 {event.version} 版：{lines or '无明细'}。"
        case parking.PaymentReceived():
            return f"支付方确认收到 {yuan(event.amount)}。"
        case parking.SessionEnded(how="exit"):
            return f"车辆出场，停车结束，共 {yuan(event.total)}。"
        case parking.SessionEnded():
            return f"出场未被看到，由工作人员处理结束，共 {yuan(event.total)}。"
        case parking.FindingRaised():
            return f"有待人工处理：{_why(event.kind)}。"
        case parking.FindingSettled():
            return f"已处理：{_why(event.how)}。"
        case parking.LotOpened():
            return f"停车场{event.name}有 {sum(event.spaces.values())} 个车位。"
        case parking.LaneInstalled():
            return f"车道{event.name}（{'入口' if event.direction == 'in' else '出口'}）由{_device(event, names)}看守。"
        case _:
            return _of_devices(event, names)


def _permit(event: parking.PermitHeld, names: Names) -> str:
    where = f"停车场“{names.get(event.lot_id) or short(event.lot_id)}”" if event.lot_id else "所有停车场"
    if event.ended:
        return f"{_of(event.person_id, names)}{where}月租不再有效。"
    begins = f"自 {minute(event.valid_from)}（UTC）起" if event.valid_from else ""
    ends = f"至 {minute(event.valid_until)}（UTC）止" if event.valid_until else ""
    costs = f"每月 {yuan(event.monthly)}" if event.monthly is not None else "不收费"
    return f"{_whom(event.person_id, names)}持有{where}的月租，{begins}{ends}{'有效，' if begins or ends else ''}{costs}。"


def bill_line(line: parking.BillLine) -> str:
    """One line of a bill, as it adds up."""
    what = terms.BILL.get(line.code, line.code)
    match line.code, line.facts:
        case "class_corrected", {"read_at_entry": was, "vehicle_class": now}:
            what = f"{what}（由 {was} 更正为 {now}）"
        case "free_period" | "free_period_exceeded", {"free_seconds": int(seconds)}:
            what = f"{what}（{seconds // 60} 分钟）"
        case "cap", {"cap_fen": int(fen)}:
            what = f"{what}（{yuan(fen)}）"
        case "share", {"numerator": part, "denominator": whole}:
            what = f"{what}（{part}/{whole}）"
    return f"{what} {line.units} × {yuan(line.unit)} = {yuan(line.amount)}" if line.units else f"{what} {yuan(line.amount)}"


def _of_devices(event: Any, names: Names) -> str:
    match event:
        case devices.DetectionReported():
            where = f"，{event.channel} 号" if event.channel is not None else ""
            seen = f"{DETECTED.get(event.kind, event.kind)}{'已结束' if event.state == 'inactive' else ''}"
            return f"{_device(event, names)}{_when(event)}报告：{seen}（代码 {event.code}{where}）。"
        case devices.DeviceReported():
            return f"{_device(event, names)}{_when(event)}报告：{event.kind}（代码 {event.code}）。"
        case devices.PlateSeen():
            return f"{_device(event, names)}{_when(event)}看到一辆{'有' if event.plate else '无'}车牌的车。"
        case devices.BarrierOrderCarriedOut(by="answer"):
            return f"{_device(event, names)}在等待的应答中收到抬杆指令。"
        case devices.BarrierOrderCarriedOut():
            return f"{_device(event, names)}报告道闸已抬起。"
        case devices.BarrierOrderFailed(reason="expired"):
            return "抬杆指令已过时限，或到达时摄像机已得到应答：未发送。"
        case devices.BarrierOrderFailed():
            return f"道闸没有抬起，或无从得知：{_why(event.reason)}。"
        case devices.FallbackGiven():
            return f"判定未及时到达：{_device(event, names)}按预设处理，{'道闸抬起' if event.admitted else '道闸未抬'}。"
        case devices.DoorOrderAttempted():
            return f"指令已向{_device(event, names)}发送一次。"
        case devices.DoorOrderCarriedOut():
            return f"{_device(event, names)}报告已执行指令。"
        case devices.DoorOrderFailed():
            return f"发往{_device(event, names)}的指令失败：{_why(event.reason)}。"
        case devices.DeviceRegistered():
            return f"设备{event.name}已登记，类型 {event.kind}。"
        case devices.DeviceEnrolled():
            return f"{_device(event, names)}已获得自己的凭证。"
        case devices.DeviceRetired():
            return f"{_device(event, names)}已停用。"
        case devices.SerialGapFound():
            return f"{_device(event, names)}在 {event.after} 与 {event.before} 之间的报告没有到达。"
        case devices.SerialGapClosed():
            return f"{_device(event, names)}在 {event.after} 与 {event.before} 之间的报告已补到。"
        case _:
            return _of_identity(event, names)


def _of_identity(event: Any, names: Names) -> str:
    match event:
        case identity.ResidenceStarted():
            return (f"{_whom(event.resident_id, names)}自 {event.since} 起居住于{_home(event, names)}，"
                    f"身份为{terms.HOMES.get(event.role, event.role)}。")
        case identity.ResidenceEnded():
            return f"{_whom(event.resident_id, names)}在{_home(event, names)}居住至 {event.until}。"
        case identity.PersonLeft():
            return f"{_whom(event.person_id, names)}已离开本小区。"
        case identity.ResidentRegistered():
            return f"{_whom(event.resident_id, names)}登记为居民。"
        case identity.HomeRegistered():
            return f"{_home(event, names)}已登记。"
        case identity.BuildingRegistered():
            return f"楼栋{event.name}已登记，共 {event.units} 个单元。"
        case identity.CommunityFounded():
            return f"小区{event.name}已建立。"
        case identity.AccountOpened():
            return f"{_whom(event.person_id, names)}可以以{terms.ACCOUNTS.get(event.role, event.role)}身份登录。"
        case identity.AccountClosed():
            return f"{_whom(event.person_id, names)}不再可以以{terms.ACCOUNTS.get(event.role, event.role)}身份登录。"
        case identity.SigningKeyPublished():
            return f"签名密钥 {event.kid} 已公布。"
        case identity.VehicleRegistered():
            return f"{_home(event, names)}登记了一辆车，{'证件已核验' if event.verified else '仅为自报'}。"
        case identity.VehicleVerified():
            return f"工作人员核验了车辆证件（{_why(event.how)}）。"
        case identity.VehicleRemoved():
            return f"{_home(event, names)}的一辆车已移除。"
        case _:
            told = alarm_chinese.sentence(event, names) or neighbors_chinese.sentence(event, names)
            return told or people_chinese.sentence(event, names) or NO_WORDS


def _what(means: str) -> str:
    return terms.MEANS.get(means, means)


def _why(reason: str) -> str:
    return terms.REASONS.get(reason, reason)


def _rule(rule: str) -> str:
    return terms.RULES.get(rule) or terms.DOOR_RULES.get(rule, rule)


def _when(event: Any) -> str:
    return "刚才" if event.live else "从留存记录中"


def _of(person_id: UUID | None, names: Names) -> str:
    return f"{_whom(person_id, names)}的" if person_id else ""


def _door(event: Any, names: Names) -> str:
    return f"门“{names.get(event.door_id) or short(event.door_id)}”"


def _building(event: Any, names: Names) -> str:
    return f"楼栋“{names.get(event.building_id) or short(event.building_id)}”"


def _lane(event: Any, names: Names) -> str:
    return f"车道“{names.get(event.lane_id) or short(event.lane_id)}”"


def _device(event: Any, names: Names) -> str:
    return f"设备“{names.get(event.device_id) or short(event.device_id)}”"


def _zone(event: Any, names: Names) -> str:
    building = building_of(event)
    return f"区域“{(building and names.get(building)) or event.zone}”"


def _home(event: Any, names: Names) -> str:
    return f"住房“{names[event.home_id]}”" if event.home_id in names else "一处住房"
