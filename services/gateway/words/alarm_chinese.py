"""中文: alarms, panels, fire releases. Who acted is said by role. Pure."""

from typing import Any

from libs.contracts import access, alarm, devices
from services.gateway.words.alarm_chinese_terms import CHECKED, CODES, DETECTED, HOW, KINDS, REASONS, ROLES, RULES, SENT, SEVERITIES, WAITED
from services.gateway.words.names import BY_HAND, Names, moment, short


def sentence(event: Any, names: Names) -> str:
    """Empty for what is none of these."""
    match event:
        case alarm.PanelInstalled():
            return f"报警主机{event.name}通过{_device(event, names)}通信。"
        case alarm.SensorInstalled():
            return f"探测器（{KINDS.get(event.kind, event.kind)}）接在主机的 {event.zone} 防区，位于{place(event, names)}。"
        case alarm.IncidentRaised():
            return _raised(event, names)
        case alarm.IncidentRepeated():
            return f"同一来源{_late(event)}第 {event.count} 次报警，仍为同一警情。"
        case alarm.IncidentRestored():
            return f"{_alarm(event)}的来源已恢复；仅此不结束警情，须由人员处理。"
        case alarm.IncidentAcknowledged():
            return f"{who(event.by, names)}已接警并负责处理（{_alarm(event)}），下一步须于 {moment(event.verify_by)}（UTC）前完成。"
        case alarm.IncidentVerified():
            return (f"{who(event.by, names)}{HOW.get(event.how, event.how)}核实{place(event, names)}的{_alarm(event)}属实，"
                    f"须于 {moment(event.dispatch_by)}（UTC）前派人。")
        case alarm.IncidentFoundFalse():
            return f"{who(event.by, names)}判定{_alarm(event)}为误报：{HOW.get(event.cause, event.cause)}。"
        case alarm.IncidentDispatched():
            return f"{who(event.by, names)}已派出{SENT.get(event.to, event.to)}，须于 {moment(event.resolve_by)}（UTC）前处理完毕。"
        case alarm.IncidentResolved():
            return f"{who(event.by, names)}报告{_alarm(event)}已结束：{HOW.get(event.how, event.how)}。"
        case alarm.IncidentEscalated():
            return _escalated(event)
        case alarm.PatrolJudged():
            return _patrol(event)
        case alarm.WellnessCheck():
            return _check(event, names)
        case _:
            return _of_releases(event, names) or _of_panels(event, names)


def _raised(event: alarm.IncidentRaised, names: Names) -> str:
    match event.code:
        case "sos" | "manual":
            source = f"由{who(event.raised_by, names, '居民' if event.code == 'sos' else '值班人员')}发出"
        case _:
            source = CODES.get(event.code) or DETECTED.get(event.code.partition(":")[0]) or f"代码 {event.code}"
    quiet = "现场没有任何显示。" if event.silent else ""
    return (f"{place(event, names)}{_late(event)}发生{SEVERITIES[event.severity]}{_alarm(event)}（{source}），"
            f"须于 {moment(event.acknowledge_by)}（UTC）前接警。{quiet}")


def _escalated(event: alarm.IncidentEscalated) -> str:
    told = "、".join(ROLES.get(role, role) for role in event.told) or "无人"
    then = f"，下一级于 {moment(event.next_by)}（UTC）" if event.next_by else "，已是最高级"
    return (f"{_alarm(event)}升至第 {event.level} 级：截至 {moment(event.due)}（UTC）无人{WAITED[event.waiting_for]}，"
            f"须通知{told}{then}。")


def _patrol(event: alarm.PatrolJudged) -> str:
    met = [f"{text} {n} 个" for how, text in (("on_time", "准时"), ("early", "提前"), ("late", "迟到"), ("missed", "漏检"))
           if (n := event.stops.get(how))]  # type: ignore[call-overload]
    judged = "已评定" if event.times == 1 else f"因后来补报第 {event.times} 次评定"
    return f"巡更“{event.name}”自 {moment(event.starts_at)}（UTC）起的一轮{judged}：巡更点{'、'.join(met)}。"


def _check(event: alarm.WellnessCheck, names: Names) -> str:
    home = f"住房“{names[event.home_id]}”" if event.home_id in names else "受关爱的住房"
    if event.answer_by is not None:
        asked = "住户本人" if event.state == "home" else "同意协助的邻居"
        worried = f"{who(event.by, names)}放心不下。" if event.by else ""
        return (f"{worried}{home}自 {moment(event.silent_since)}（UTC）起未见有人活动，已询问{asked}是否平安，"
                f"须于 {moment(event.answer_by)}（UTC）前答复。")
    return f"{home}的平安询问已结束：{CHECKED[event.state]}。"


def _of_releases(event: Any, names: Names) -> str:
    match event:
        case access.FireReleaseBegun():
            by = who(event.by, names) if event.by or event.rule == BY_HAND else f"门禁按规则“{RULES.get(event.rule, event.rule)}”"
            return f"{by}释放了{_building(event, names)}的{_relays(event)}：{_why(event.reason)}。"
        case access.FireReleaseJoined():
            return f"{_building(event, names)}又有一处火情得到核实：已释放的{_relays(event)}也为其保持释放。"
        case access.FireReleaseEnded():
            return f"{who(event.by, names)}结束了{_building(event, names)}的消防释放：{_why(event.reason)}。"
        case access.RelayReleased(released=True):
            return f"{_opening(event, names)}已释放，设备已确认。"
        case access.RelayReleased():
            return f"{_opening(event, names)}已恢复正常，设备已确认。"
        case access.RelayNotReleased(reason="device_retired"):
            return f"{_opening(event, names)}无法{'释放' if event.released else '恢复'}：其设备此前已停用。"
        case access.RelayNotReleased():
            return f"{_opening(event, names)}尚未{'释放' if event.released else '恢复'}（{_why(event.reason)}），将再次尝试。"
        case access.DuressSignalled():
            return f"有人在{_opening(event, names)}处发出受胁迫信号；门的动作与平时相同，现场没有任何显示。"
        case _:
            return ""


def _of_panels(event: Any, names: Names) -> str:
    match event:
        case devices.PanelSignalled():
            where = f"，{'用户' if event.user else '防区'} {event.zone}" if event.zone is not None else ""
            return f"{_device(event, names)}{'刚才' if event.live else '从留存记录中'}发出信号：{event.code}{where}。"
        case devices.LineSilent():
            return f"{_device(event, names)}的线路已超过 {event.limit} 秒没有信号。"
        case devices.LineBack():
            return f"{_device(event, names)}的线路已恢复通信。"
        case devices.HoldCarriedOut():
            return f"{_device(event, names)}报告 {event.door_no} 号继电器已{REASONS[event.state]}。"
        case devices.HoldFailed(reason="device_retired"):
            return f"{_device(event, names)}在 {event.door_no} 号继电器{REASONS[event.state]}之前已停用。"
        case devices.HoldFailed():
            again = f"将于 {moment(event.again_at)}（UTC）再次尝试" if event.again_at else "不再尝试"
            return (f"{_device(event, names)}的 {event.door_no} 号继电器未能{REASONS[event.state]}（{_why(event.reason)}，"
                    f"第 {event.attempt} 次），{again}。")
        case _:
            return ""


def who(person_id: Any, names: Names, otherwise: str = "值班人员") -> str:
    return ROLES.get(names.get(person_id, ""), otherwise) if person_id else otherwise


def place(event: Any, names: Names) -> str:
    """As exactly as was said; the home only where the reader may know it."""
    at = event.place
    found = [f"楼栋“{names.get(at.building_id) or short(at.building_id)}”"] if at.building_id is not None else []
    if at.unit is not None:
        found.append(f"{at.unit} 单元")
    if at.floor is not None:
        found.append(f"{at.floor} 层")
    if at.home_id in names:
        found.append(f"住房“{names[at.home_id]}”")
    return "".join(found) + (f"“{at.name}”" if at.name not in ("", names.get(at.home_id)) else "") or "未说明的地点"


def _alarm(event: Any) -> str:
    return str(KINDS.get(event.kind, event.kind))


def _late(event: Any) -> str:
    return "" if event.live else "（事后得知）"


def _relays(event: Any) -> str:
    lifts = sum(relay.state == "recalled" for relay in event.relays)
    return f" {len(event.relays) - lifts} 扇门和 {lifts} 部电梯"


def _why(reason: str) -> str:
    return REASONS.get(reason, reason)


def _opening(event: Any, names: Names) -> str:
    return f"门“{names.get(event.door_id) or short(event.door_id)}”"


def _device(event: Any, names: Names) -> str:
    return f"设备“{names.get(event.device_id) or short(event.device_id)}”"


def _building(event: Any, names: Names) -> str:
    return f"楼栋“{names.get(event.building_id) or short(event.building_id)}”"
