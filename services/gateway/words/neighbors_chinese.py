"""中文: neighbours, broadcasts, population, and what authorities are told. Pure."""

from typing import Any

from libs.contracts import government, identity, neighbors
from services.gateway.told import Told
from services.gateway.words.alarm_chinese import who
from services.gateway.words.alarm_chinese_terms import (
    BROADCASTS,
    CATEGORIES,
    CHANNELS,
    HOW,
    KINDS,
    POPULATION,
    REASONS,
    RULES,
    SENT,
    SOURCES,
    STATES,
    WAITED,
)
from services.gateway.words.names import BY_HAND, Names, moment, short


def sentence(event: Any, names: Names) -> str:
    """Empty for what is none of these."""
    match event:
        case neighbors.CircleJoined():
            return f"一位居民加入了{_circle(event, names)}的邻里圈。"
        case neighbors.CircleLeft():
            return f"一位居民退出了{_circle(event, names)}的邻里圈。"
        case neighbors.DisplayNameChosen():
            return "一位居民设定了邻居看到的名字。"
        case neighbors.NoticePosted():
            return (f"{who(event.by, names, '物业人员')}向{_circle(event, names)}的邻里圈{_people(event.audience)}发布了通知"
                    f"（{CATEGORIES[event.category]}）：{event.title}。")
        case neighbors.NoticeWithdrawn():
            return f"{who(event.by, names, '物业人员')}撤回了通知。"
        case neighbors.NoticeRead():
            return "一位居民已阅读。"
        case neighbors.BroadcastSent():
            by = who(event.by, names) if event.by or event.rule == BY_HAND else f"邻里服务按规则“{RULES.get(event.rule, event.rule)}”"
            building = names.get(event.building_id) or short(event.building_id)
            return (f"{by}向楼栋“{building}”所有人{_people(event.audience)}发出紧急通知（{BROADCASTS[event.kind]}）："
                    f"{_why(event.reason)}。")
        case neighbors.ResidentTold():
            return f"已通过{CHANNELS.get(event.channel, event.channel)}通知一位居民。"
        case neighbors.ResidentNotTold():
            return f"未能通过{CHANNELS.get(event.channel, event.channel)}通知一位居民：{_why(event.reason)}。"
        case neighbors.BroadcastEnded():
            by = who(event.by, names) if event.by or event.reason == BY_HAND else "邻里服务"
            return f"{by}解除了紧急通知：{_why(event.reason)}。"
        case identity.PopulationDeclared():
            return f"据{SOURCES[event.source]}说明，一位居民属于{POPULATION[event.kind]}。"
        case _:
            return _of_government(event)


def _of_government(event: Any) -> str:
    match event:
        case government.IncidentOpened():
            return f"已告知主管部门：{_alarm(event)}，须于 {moment(event.deadline)}（UTC）前接警。"
        case government.IncidentProgressed():
            until = f"，下一步须于 {moment(event.deadline)}（UTC）前完成" if event.deadline else ""
            how = HOW.get(event.how) or SENT.get(event.how) or _why(event.how)
            return f"已告知主管部门：{_alarm(event)}{STATES[event.state]}（{how}）{until}。"
        case government.IncidentOverdue():
            waited = WAITED.get(event.waiting_for, event.waiting_for)
            return f"已告知主管部门：截至 {moment(event.due)}（UTC）无人{waited}（{_alarm(event)}），第 {event.level} 级。"
        case government.IncidentRecurred():
            return f"已告知主管部门：{_alarm(event)}的来源第 {event.count} 次报警。"
        case government.FireReleased(released=True):
            return f"已告知主管部门消防释放：{event.doors} 扇门和 {event.lifts} 部电梯。"
        case government.FireReleased():
            return "已告知主管部门：消防释放已结束。"
        case _:
            return ""


def reached(told: Told, audience: int) -> str:
    """Who was told and who was not, by number: the broadcast's page names each. Who came later was told too."""
    missed = sum(told.not_told.values())
    audience = max(audience, told.told + missed)
    if not told.told and not told.not_told:
        return f"共 {audience} 人，目前尚无人得到通知。"
    why = "，".join(f"{_why(reason)} {n} 人" for reason, n in sorted(told.not_told.items()))
    left = audience - told.told - missed
    return (f"共 {audience} 人，其中 {told.told} 人已得到通知{f'，{missed} 人未得到通知（{why}）' if missed else ''}"
            f"{f'，{left} 人尚无结果' if left > 0 else ''}。")


def _people(audience: int) -> str:
    """Nothing where the reader may not know it."""
    return f"（{audience} 人）" if audience else ""


def _alarm(event: Any) -> str:
    return str(KINDS.get(event.kind, event.kind))


def _why(reason: str) -> str:
    return REASONS.get(reason, reason)


def _circle(event: Any, names: Names) -> str:
    return f"楼栋“{names.get(event.building_id) or short(event.building_id)}”" if event.building_id else "全小区"
