"""What the event codes of Contact ID mean (Ademco; SIA DC-05-1999.09, appendix of event codes), and what we make of each.

The codes and what they stand for are the standard's; kind, severity and the Chinese names are ours. A code beyond the standard
says whose it is. `kind` None: it says what somebody did with the panel (armed, bypassed, tested it): history, no incident.

What a zone says twice is one incident where kind and `condition` are the same. A condition is named where one kind has several
that have nothing to do with each other (mains and battery), or of which one is worse or silent.
"""

from collections.abc import Mapping

from msgspec import Struct

from services.alarm.domain.kinds import SEVERITY, IncidentKind, Severity


class Code(Struct, frozen=True):
    english: str
    chinese: str
    kind: IncidentKind | None = None
    severity: Severity = "low"
    condition: str = ""
    silent: bool = False


def _alarm(
    kind: IncidentKind, english: str, chinese: str, severity: Severity | None = None, condition: str = "", silent: bool = False,
) -> Code:
    return Code(english, chinese, kind, severity or SEVERITY[kind], condition, silent or kind == "duress")


def _own(kind: IncidentKind, severity: Severity, codes: Mapping[int, tuple[str, str]]) -> dict[int, Code]:
    """Each a condition of its own."""
    return {code: Code(*names, kind, severity, str(code)) for code, names in codes.items()}


def _history(codes: Mapping[int, tuple[str, str]]) -> dict[int, Code]:
    return {code: Code(*names) for code, names in codes.items()}


ALARMS: Mapping[int, Code] = {
    100: _alarm("medical", "Medical", "医疗求助"),
    101: _alarm("sos", "Personal emergency", "个人紧急求助"),
    102: _alarm("medical", "Fail to report in", "未按时报平安", "high", "report_in"),
    110: _alarm("fire", "Fire", "火警"),
    111: _alarm("fire", "Smoke", "烟雾"),
    112: _alarm("fire", "Combustion", "燃烧"),
    113: _alarm("water", "Water flow", "喷淋水流", "critical", "flow"),  # of a sprinkler: worse than a leak
    114: _alarm("fire", "Heat", "高温"),
    115: _alarm("fire", "Pull station", "手动报警按钮"),
    116: _alarm("fire", "Duct", "风管烟感"),
    117: _alarm("fire", "Flame", "火焰"),
    118: _alarm("fire", "Near alarm", "火警预警", "high", "near"),
    120: _alarm("panic", "Panic", "紧急报警"),
    121: _alarm("duress", "Duress", "胁迫"),
    122: _alarm("panic", "Silent", "无声紧急报警", condition="silent", silent=True),
    123: _alarm("panic", "Audible", "有声紧急报警"),
    124: _alarm("duress", "Duress, access granted", "胁迫进入"),
    125: _alarm("duress", "Duress, egress granted", "胁迫外出"),
    126: _alarm("panic", "Hold-up suspicion print", "可疑劫持留证", condition="silent", silent=True),  # later than 1999
    130: _alarm("burglary", "Burglary", "盗警"),
    131: _alarm("burglary", "Perimeter", "周界"),
    132: _alarm("burglary", "Interior", "室内"),
    133: _alarm("burglary", "24 hour (safe)", "24小时防区"),
    134: _alarm("burglary", "Entry/exit", "出入口"),
    135: _alarm("burglary", "Day/night", "昼夜防区"),
    136: _alarm("burglary", "Outdoor", "室外"),
    137: _alarm("tamper", "Tamper", "防拆"),
    138: _alarm("burglary", "Near alarm", "盗警预警"),
    139: _alarm("burglary", "Intrusion verifier", "入侵复核"),
    140: _alarm("other", "General alarm", "一般报警"),
    **_own("trouble", "high", {
        141: ("Polling loop open", "总线开路报警"), 142: ("Polling loop short", "总线短路报警"),
        143: ("Expansion module failure", "扩展模块故障报警")}),
    144: _alarm("tamper", "Sensor tamper", "探测器防拆"),
    145: _alarm("tamper", "Expansion module tamper", "扩展模块防拆"),
    146: _alarm("burglary", "Silent burglary", "无声盗警", condition="silent", silent=True),
    147: _alarm("supervisory", "Sensor supervision failure", "探测器失联", condition="147"),
    150: _alarm("other", "24 hour non-burglary", "24小时非盗警"),
    151: _alarm("gas", "Gas detected", "燃气泄漏"),
    154: _alarm("water", "Water leakage", "漏水"),
    155: _alarm("burglary", "Foil break", "玻璃箔断裂"),
    162: _alarm("gas", "Carbon monoxide detected", "一氧化碳"),
    **_own("trouble", "low", {
        152: ("Refrigeration", "制冷异常"), 153: ("Loss of heat", "供热中断"), 156: ("Day trouble", "日间故障"),
        161: ("Loss of air flow", "风量不足")}),
    **_own("supervisory", "high", {158: ("High temperature", "温度过高"), 159: ("Low temperature", "温度过低")}),
    **_own("supervisory", "low", {157: ("Low bottled gas level", "瓶装气不足"), 163: ("Tank level", "液位异常")}),
}
SUPERVISORY: Mapping[int, Code] = _own("supervisory", "high", {
    200: ("Fire supervisory", "消防监管"), 201: ("Low water pressure", "水压低"), 202: ("Low CO2", "二氧化碳不足"),
    203: ("Gate valve sensor", "闸阀状态"), 204: ("Low water level", "水位低"), 205: ("Pump activated", "水泵启动"),
    206: ("Pump failure", "水泵故障")})
TROUBLES: Mapping[int, Code] = {
    **_own("trouble", "low", {
        300: ("System trouble", "系统故障"), 301: ("AC loss", "市电断电"), 302: ("Low system battery", "主机电池电量低"),
        303: ("RAM checksum bad", "内存校验错误"), 304: ("ROM checksum bad", "程序校验错误"), 307: ("Self-test failure", "自检失败"),
        308: ("System shutdown", "系统停机"), 309: ("Battery test failure", "电池检测失败"), 310: ("Ground fault", "接地故障"),
        311: ("Battery missing or dead", "电池缺失"), 312: ("Power supply overcurrent", "电源过流"),
        320: ("Sounder/relay", "警号或继电器故障"), 321: ("Bell 1", "警铃1故障"), 322: ("Bell 2", "警铃2故障"),
        323: ("Alarm relay", "报警继电器故障"), 324: ("Trouble relay", "故障继电器故障"), 325: ("Reversing relay", "换向继电器故障"),
        326: ("Notification appliance circuit 3", "声光回路3故障"), 327: ("Notification appliance circuit 4", "声光回路4故障"),
        330: ("System peripheral trouble", "外围设备故障"), 331: ("Polling loop open", "总线开路"),
        332: ("Polling loop short", "总线短路"), 333: ("Expansion module failure", "扩展模块故障"),
        334: ("Repeater failure", "中继器故障"), 335: ("Local printer out of paper", "打印机缺纸"),
        336: ("Local printer failure", "打印机故障"), 337: ("Expansion module DC loss", "扩展模块直流断电"),
        338: ("Expansion module low battery", "扩展模块电池电量低"), 342: ("Expansion module AC loss", "扩展模块市电断电"),
        343: ("Expansion module self-test failure", "扩展模块自检失败"), 370: ("Protection loop", "防区回路故障"),
        371: ("Protection loop open", "防区回路开路"), 372: ("Protection loop short", "防区回路短路"),
        374: ("Exit error alarm (zone)", "外出延时错误（防区）"), 377: ("Swinger trouble", "频繁触发"),
        378: ("Cross-zone trouble", "交叉防区故障"), 380: ("Sensor trouble", "探测器故障"),
        384: ("RF low battery", "无线探测器电池电量低"), 385: ("Smoke detector high sensitivity", "烟感灵敏度过高"),
        386: ("Smoke detector low sensitivity", "烟感灵敏度过低"), 387: ("Intrusion detector high sensitivity", "入侵探测器灵敏度过高"),
        388: ("Intrusion detector low sensitivity", "入侵探测器灵敏度过低"), 389: ("Sensor self-test failure", "探测器自检失败"),
        391: ("Sensor watch trouble", "探测器长时间未触发"), 392: ("Drift compensation error", "漂移补偿错误"),
        394: ("CO detector needs replacement", "一氧化碳探测器需更换")}),  # 394: later than 1999
    **_own("trouble", "high", {
        344: ("RF receiver jam detected", "无线干扰"), 350: ("Communication trouble", "通信故障"),
        351: ("Telephone line 1 fault", "电话线1故障"), 352: ("Telephone line 2 fault", "电话线2故障"),
        353: ("Long range radio transmitter fault", "远程无线发射器故障"), 354: ("Failure to communicate event", "事件上报失败"),
        355: ("Loss of radio supervision", "无线监管丢失"), 356: ("Loss of central polling", "中心轮询丢失"),
        357: ("Long range radio VSWR problem", "天线驻波异常"), 373: ("Fire trouble", "消防回路故障"),
        375: ("Panic zone trouble", "紧急防区故障"), 376: ("Hold-up zone trouble", "劫持防区故障"),
        393: ("Maintenance alert", "需要维护（恒博主机：失去联系）")}),  # Hengbo's panels send it for lost contact
    **_own("supervisory", "high", {
        381: ("Loss of supervision, RF", "无线探测器失联"), 382: ("Loss of supervision, RPM", "总线探测器失联")}),
    341: _alarm("tamper", "Expansion module tamper", "扩展模块防拆"),
    383: _alarm("tamper", "Sensor tamper", "探测器防拆"),
    **_history({
        305: ("System reset", "系统复位"), 306: ("Panel programming changed", "主机编程已更改"), 313: ("Engineer reset", "工程师复位"),
        339: ("Expansion module reset", "扩展模块复位")}),
}
OPEN_CLOSE: Mapping[int, Code] = {
    **_history({
        400: ("Open/close", "撤防/布防"), 401: ("Open/close by user", "用户撤防/布防"), 402: ("Group open/close", "分组撤防/布防"),
        403: ("Automatic open/close", "自动撤防/布防"), 404: ("Late to open/close", "撤布防延迟"),
        405: ("Deferred open/close", "推迟撤布防"), 406: ("Cancel", "取消报警"), 407: ("Remote arm/disarm", "远程布撤防"),
        408: ("Quick arm", "快速布防"), 409: ("Keyswitch open/close", "钥匙开关撤布防"), 411: ("Callback request made", "请求回拨"),
        412: ("Successful download or access", "下载或访问成功"), 413: ("Unsuccessful access", "访问失败"),
        414: ("System shutdown command received", "收到停机命令"), 415: ("Dialer shutdown command received", "收到关闭拨号器命令"),
        416: ("Successful upload", "上传成功"), 421: ("Access denied", "拒绝进入"), 422: ("Access report by user", "用户进入"),
        424: ("Egress denied", "拒绝外出"), 425: ("Egress granted", "允许外出"), 426: ("Access door propped open", "门未关"),
        429: ("Access program mode entry", "进入门禁编程"), 430: ("Access program mode exit", "退出门禁编程"),
        431: ("Access threat level change", "威胁级别变更"), 433: ("Access request-to-exit shunt", "出门请求旁路"),
        434: ("Access door status monitor shunt", "门磁旁路"), 441: ("Armed stay", "留守布防"),
        442: ("Keyswitch armed stay", "钥匙留守布防"), 450: ("Exception open/close", "异常时段撤布防"),
        451: ("Early open/close", "提前撤布防"), 452: ("Late open/close", "延迟撤布防"), 453: ("Failed to open", "未按时撤防"),
        454: ("Failed to close", "未按时布防"), 455: ("Auto-arm failed", "自动布防失败"), 456: ("Partial arm", "部分布防"),
        457: ("Exit error (user)", "外出延时错误（用户）"), 458: ("User on premises", "用户在场"), 459: ("Recent close", "刚布防"),
        461: ("Wrong code entry", "密码错误"), 462: ("Legal code entry", "密码正确"), 463: ("Re-arm after alarm", "报警后重新布防"),
        464: ("Auto-arm time extended", "自动布防时间延长"), 465: ("Panic alarm reset", "紧急报警复位"),
        466: ("Service on/off premises", "维护人员到场/离场")}),
    423: _alarm("burglary", "Forced access", "强行进入"),
    **_own("trouble", "low", {
        427: ("Access point door status monitor trouble", "门磁故障"), 428: ("Access point request-to-exit trouble", "出门按钮故障"),
        432: ("Access relay or trigger failure", "门禁继电器故障")}),
}
BYPASSES: Mapping[int, Code] = _history({
    501: ("Access reader disabled", "读卡器停用"), 520: ("Sounder/relay disabled", "警号或继电器停用"),
    521: ("Bell 1 disabled", "警铃1停用"), 522: ("Bell 2 disabled", "警铃2停用"), 523: ("Alarm relay disabled", "报警继电器停用"),
    524: ("Trouble relay disabled", "故障继电器停用"), 525: ("Reversing relay disabled", "换向继电器停用"),
    526: ("Notification appliance circuit 3 disabled", "声光回路3停用"),
    527: ("Notification appliance circuit 4 disabled", "声光回路4停用"), 531: ("Module added", "增加模块"),
    532: ("Module removed", "移除模块"), 551: ("Dialer disabled", "拨号器停用"), 552: ("Radio transmitter disabled", "无线发射器停用"),
    553: ("Remote upload/download disabled", "远程上传下载停用"), 570: ("Zone or sensor bypass", "防区旁路"),
    571: ("Fire bypass", "消防防区旁路"), 572: ("24 hour zone bypass", "24小时防区旁路"), 573: ("Burglary bypass", "盗警防区旁路"),
    574: ("Group bypass", "分组旁路"), 575: ("Swinger bypass", "频繁触发旁路"), 576: ("Access zone shunt", "门禁防区旁路"),
    577: ("Access point bypass", "门禁点旁路")})
TESTS: Mapping[int, Code] = {
    **_history({
        601: ("Manual trigger test report", "手动测试"), 602: ("Periodic test report", "定期测试"),
        603: ("Periodic RF transmission", "定期无线发送"), 604: ("Fire test", "消防测试"),
        605: ("Status report to follow", "状态报告随后"), 606: ("Listen-in to follow", "监听随后"), 607: ("Walk test mode", "步测"),
        608: ("Periodic test, system trouble present", "定期测试（系统有故障）"), 609: ("Video transmitter active", "视频发送中"),
        611: ("Point tested OK", "测试正常"), 612: ("Point not tested", "未测试"), 613: ("Intrusion zone walk tested", "入侵防区已步测"),
        614: ("Fire zone walk tested", "消防防区已步测"), 615: ("Panic zone walk tested", "紧急防区已步测"),
        616: ("Service request", "请求维护"), 621: ("Event log reset", "记录已清除"), 622: ("Event log 50% full", "记录已满一半"),
        623: ("Event log 90% full", "记录已满九成"), 624: ("Event log overflow", "记录溢出"), 625: ("Time or date reset", "时钟已设置"),
        626: ("Time or date inaccurate", "时钟不准"), 627: ("Program mode entry", "进入编程"), 628: ("Program mode exit", "退出编程"),
        629: ("32 hour event log marker", "32小时记录标记"), 630: ("Schedule change", "时间表变更"),
        631: ("Exception schedule change", "例外时间表变更"), 632: ("Access schedule change", "门禁时间表变更"),
        651: ("Reserved for Ademco", "保留"), 652: ("Reserved for Ademco", "保留"), 653: ("Reserved for Ademco", "保留")}),
    641: _alarm("medical", "Senior watch trouble", "老人长时间无活动", "high", "activity"),
    **_own("supervisory", "low", {642: ("Latch-key supervision", "未按时回家"), 654: ("System inactivity", "系统长时间无活动")}),
    709: _alarm("sos", "Telephone SOS (Hengbo)", "电话求助（恒博）"),  # a vendor's own
}
CODES: Mapping[int, Code] = {**ALARMS, **SUPERVISORY, **TROUBLES, **OPEN_CLOSE, **BYPASSES, **TESTS}
