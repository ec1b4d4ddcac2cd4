"""What the two-letter codes of SIA DC-03-1990.01 (R2003.10) mean, and what we make of each.

Most come in families: the first letter says what it is about, the second what happened to it. The codes and what they stand
for are the standard's; kind, severity and the Chinese names are ours. What only tells what somebody did with the panel, at a
door or with its printer is history.
"""

from collections.abc import Mapping

from msgspec import Struct

from services.alarm.domain.kinds import SEVERITY, IncidentKind, Severity

Pair = tuple[IncidentKind, str]
"""A kind and its condition: what is raised by one code is restored by others that name the same pair."""


class SiaCode(Struct, frozen=True):
    """Raises `raises`, restores each of `restores`, or is history."""

    english: str
    chinese: str
    raises: Pair | None = None
    restores: tuple[Pair, ...] = ()
    severity: Severity = "low"
    silent: bool = False


FAMILIES: Mapping[str, tuple[str, str, Pair, Severity, bool]] = {
    "B": ("Burglary", "盗警", ("burglary", ""), "high", False),
    "F": ("Fire", "火警", ("fire", ""), "critical", False),
    "G": ("Gas", "燃气", ("gas", ""), "critical", False),
    "H": ("Holdup", "劫持", ("duress", ""), "critical", True),
    "K": ("Heat", "高温", ("fire", ""), "critical", False),
    "M": ("Medical", "医疗", ("medical", ""), "critical", False),
    "P": ("Panic", "紧急", ("panic", ""), "critical", False),
    "Q": ("Emergency", "求助", ("sos", ""), "critical", False),
    "S": ("Sprinkler", "喷淋", ("water", "flow"), "critical", False),
    "U": ("Untyped zone", "未定类型防区", ("other", ""), "high", False),
    "W": ("Water", "漏水", ("water", ""), "high", False),
    "Z": ("Freeze", "低温", ("supervisory", "freeze"), "high", False),
}


CIRCUITS = frozenset("FHKP")
"""Families of which a trouble is high: where the circuit fails, a fire or a person who calls for help is not heard. So it is with 373,
375 and 376 of Contact ID."""


def _of_family(letter: str) -> dict[str, SiaCode]:
    english, chinese, alarm, severity, silent = FAMILIES[letter]
    trouble: Pair = ("trouble", letter)
    watch: Pair = ("supervisory", letter)
    return {
        f"{letter}A": SiaCode(f"{english} alarm", f"{chinese}报警", alarm, severity=severity, silent=silent),
        f"{letter}B": SiaCode(f"{english} bypass", f"{chinese}旁路"),
        f"{letter}H": SiaCode(f"{english} alarm restore", f"{chinese}报警恢复", restores=(alarm,)),
        f"{letter}J": SiaCode(f"{english} trouble restore", f"{chinese}故障恢复", restores=(trouble,)),
        f"{letter}R": SiaCode(f"{english} restoral", f"{chinese}恢复", restores=(alarm, trouble, watch)),
        f"{letter}S": SiaCode(f"{english} supervisory", f"{chinese}监管", watch, severity="high"),
        f"{letter}T": SiaCode(f"{english} trouble", f"{chinese}故障", trouble, severity="high" if letter in CIRCUITS else "low"),
        f"{letter}U": SiaCode(f"{english} unbypass", f"{chinese}旁路解除"),
    }


def _raised(kind: IncidentKind, condition: str, english: str, chinese: str, severity: Severity | None = None) -> SiaCode:
    return SiaCode(english, chinese, (kind, condition), severity=severity or SEVERITY[kind], silent=kind == "duress")


def _restored(english: str, chinese: str, *pairs: Pair) -> SiaCode:
    return SiaCode(english, chinese, restores=pairs)


RAISED: Mapping[str, SiaCode] = {
    "AA": _raised("tamper", "", "Alarm, panel substitution", "主机被替换"),
    "AS": _raised("trouble", "analog", "Analog service", "模拟探测器需维护"),
    "AT": _raised("trouble", "ac", "AC trouble", "市电断电"),
    "BD": _raised("trouble", "swinger", "Swinger trouble", "频繁触发"),
    "BG": _raised("burglary", "", "Unverified event, burglary", "未复核盗警"),
    "BM": _raised("burglary", "", "Burglary alarm, cross point", "交叉防区盗警"),
    "BV": _raised("burglary", "", "Burglary verified", "已复核盗警"),
    "BZ": _raised("supervisory", "missing", "Missing supervision", "监管点丢失"),
    "CM": _raised("burglary", "", "Missing alarm, recent closing", "布防后防区丢失报警"),
    "DF": _raised("burglary", "", "Door forced", "强行开门"),
    "DJ": _raised("trouble", "door_forced", "Door forced, trouble", "强行开门（撤防）"),
    "DL": _raised("burglary", "", "Door left open, alarm", "门未关报警"),
    "DM": _raised("trouble", "door_open", "Door left open, trouble", "门未关"),
    "DT": _raised("trouble", "access", "Access trouble", "门禁故障"),
    "EA": _raised("burglary", "", "Exit alarm", "外出延时报警"),
    "EM": _raised("trouble", "module_missing", "Expansion device missing", "扩展设备丢失"),
    "ES": _raised("tamper", "module", "Expansion device tamper", "扩展设备防拆"),
    "ET": _raised("trouble", "module", "Expansion trouble", "扩展设备故障"),
    "EX": _raised("other", "external", "External device condition", "外部设备状态"),
    "EZ": _raised("burglary", "", "Missing alarm, exit error", "外出延时防区丢失报警"),
    "FG": _raised("fire", "", "Unverified event, fire", "未复核火警"),
    "FM": _raised("fire", "", "Fire alarm, cross point", "交叉探测火警"),
    "FW": _raised("trouble", "fire_supervisory", "Fire supervisory trouble", "消防监管故障", "high"),
    "FY": _raised("trouble", "fire_missing", "Missing fire trouble", "消防点丢失", "high"),
    "FZ": _raised("supervisory", "fire_missing", "Missing fire supervision", "消防监管点丢失"),
    "IA": _raised("trouble", "equipment", "Equipment failure condition", "设备故障"),
    "JA": _raised("tamper", "code", "User code tamper", "多次输错密码"),
    "JK": _raised("supervisory", "latchkey", "Latchkey alert", "未按时回家", "low"),
    "LT": _raised("trouble", "phone", "Phone line trouble", "电话线故障", "high"),
    "NA": _raised("supervisory", "activity", "No activity", "长时间无活动"),
    "NC": _raised("trouble", "network", "Network condition", "网络异常", "high"),
    "NT": _raised("trouble", "network", "Network failure", "网络故障", "high"),
    "OU": _raised("trouble", "output", "Output state, trouble", "输出故障"),
    "RT": _raised("trouble", "data", "Data lost", "数据丢失"),
    "RY": _raised("trouble", "test", "Test off normal", "测试异常"),
    "TA": _raised("tamper", "", "Tamper alarm", "防拆报警"),
    "TT": _raised("tamper", "", "Tamper trouble", "防拆故障"),
    "UG": _raised("other", "", "Unverified event, untyped", "未复核报警"),
    "UX": _raised("other", "", "Undefined", "未定义报警"),
    "UY": _raised("trouble", "missing", "Untyped missing trouble", "防区丢失"),
    "UZ": _raised("other", "missing", "Untyped missing alarm", "防区丢失报警"),
    "XL": _raised("trouble", "signal", "Low received signal strength", "无线信号弱"),
    "XM": _raised("burglary", "", "Missing alarm, cross point", "交叉防区丢失报警"),
    "XQ": _raised("trouble", "jam", "RF interference", "无线干扰", "high"),
    "XS": _raised("tamper", "receiver", "RF receiver tamper", "无线接收器防拆"),
    "XT": _raised("trouble", "transmitter", "Transmitter battery trouble", "无线电池电量低"),
    "XX": _raised("trouble", "no_test", "Fail to test", "未收到测试"),
    "YA": _raised("trouble", "bell", "Bell fault", "警铃故障"),
    "YC": _raised("trouble", "communication", "Communications fail", "通信失败", "high"),
    "YD": _raised("trouble", "line_card", "Receiver line card trouble", "接收线卡故障"),
    "YF": _raised("trouble", "checksum", "Parameter checksum fail", "参数校验错误"),
    "YI": _raised("trouble", "current", "Overcurrent trouble", "过流"),
    "YM": _raised("trouble", "battery", "System battery missing", "主机电池缺失"),
    "YP": _raised("trouble", "power", "Power supply trouble", "电源故障"),
    "YS": _raised("trouble", "communication", "Communications trouble", "通信故障", "high"),
    "YT": _raised("trouble", "battery", "System battery trouble", "主机电池电量低"),
    "YU": _raised("trouble", "diagnostic", "Diagnostic error", "诊断错误"),
    "YX": _raised("trouble", "service", "Service required", "需要维护"),
}
RESTORED: Mapping[str, SiaCode] = {
    "AN": _restored("Analog restoral", "模拟探测器恢复", ("trouble", "analog")),
    "AR": _restored("AC restoral", "市电恢复", ("trouble", "ac")),
    "BE": _restored("Swinger trouble restore", "频繁触发恢复", ("trouble", "swinger")),
    "DH": _restored("Door left open, restoral", "门已关", ("burglary", ""), ("trouble", "door_open")),
    "DR": _restored("Door restoral", "门恢复", ("burglary", ""), ("trouble", "door_forced"), ("trouble", "access")),
    "EJ": _restored("Expansion tamper restore", "扩展设备防拆恢复", ("tamper", "module")),
    "EN": _restored("Expansion missing restore", "扩展设备恢复连接", ("trouble", "module_missing")),
    "ER": _restored("Expansion restoral", "扩展设备恢复", ("trouble", "module")),
    "FQ": _restored("Fire supervisory trouble restore", "消防监管故障恢复", ("trouble", "fire_supervisory")),
    "FV": _restored("Fire supervision restore", "消防监管恢复", ("supervisory", "F")),
    "IR": _restored("Equipment fail, restoral", "设备恢复", ("trouble", "equipment")),
    "JC": _restored("User code tamper cancelled", "密码输错取消", ("tamper", "code")),
    "LR": _restored("Phone line restoral", "电话线恢复", ("trouble", "phone")),
    "NR": _restored("Network restoral", "网络恢复", ("trouble", "network")),
    "NS": _restored("Activity resumed", "恢复活动", ("supervisory", "activity")),
    "OV": _restored("Output state, restore", "输出恢复", ("trouble", "output")),
    "TH": _restored("Tamper alarm restore", "防拆报警恢复", ("tamper", "")),
    "TJ": _restored("Tamper trouble restore", "防拆故障恢复", ("tamper", "")),
    "TR": _restored("Tamper restoral", "防拆恢复", ("tamper", "")),
    "XH": _restored("RF interference restoral", "无线干扰消失", ("trouble", "jam")),
    "XJ": _restored("RF receiver tamper restoral", "无线接收器防拆恢复", ("tamper", "receiver")),
    "XR": _restored("Transmitter battery restoral", "无线电池恢复", ("trouble", "transmitter")),
    "YE": _restored("Receiver line card restored", "接收线卡恢复", ("trouble", "line_card")),
    "YH": _restored("Bell restored", "警铃恢复", ("trouble", "bell")),
    "YJ": _restored("Overcurrent restore", "过流恢复", ("trouble", "current")),
    "YK": _restored("Communications restoral", "通信恢复", ("trouble", "communication")),
    "YQ": _restored("Power supply restored", "电源恢复", ("trouble", "power")),
    "YR": _restored("System battery restoral", "主机电池恢复", ("trouble", "battery")),
    "YZ": _restored("Service completed", "维护完成", ("trouble", "service")),
}
HISTORY: Mapping[str, tuple[str, str]] = {
    "AB": ("Abort", "中止"), "BC": ("Burglary cancel", "取消盗警"), "BX": ("Burglary test", "盗警测试"),
    "CA": ("Automatic closing", "自动布防"), "CD": ("Closing delinquent", "长期未布防"), "CE": ("Closing extend", "布防延长"),
    "CF": ("Forced closing", "强制布防"), "CG": ("Close area", "分区布防"), "CI": ("Fail to close", "未按时布防"),
    "CJ": ("Late close", "延迟布防"), "CK": ("Early close", "提前布防"), "CL": ("Closing report", "布防"),
    "CO": ("Command sent", "已发命令"), "CP": ("Automatic closing", "自动布防"), "CQ": ("Remote closing", "远程布防"),
    "CR": ("Recent closing", "刚布防"), "CS": ("Closing keyswitch", "钥匙布防"), "CT": ("Late to open", "未按时撤防"),
    "CW": ("Was force armed", "已强制布防"), "CX": ("Custom function executed", "执行自定义功能"), "CZ": ("Point closing", "防区布防"),
    "DA": ("Card assigned", "发卡"), "DB": ("Card deleted", "删卡"), "DC": ("Access closed", "禁止进入"),
    "DD": ("Access denied", "拒绝进入"), "DE": ("Request to enter", "请求进入"), "DG": ("Access granted", "允许进入"),
    "DI": ("Access denied, passback", "拒绝进入（反潜回）"), "DK": ("Access lockout", "门禁锁定"),
    "DN": ("Door left open (no alarm, no trouble)", "门未关（提示）"), "DO": ("Access open", "门禁开放"),
    "DP": ("Access denied, unauthorized time", "拒绝进入（时段）"),
    "DQ": ("Access denied, unauthorized arming state", "拒绝进入（布防状态）"), "DS": ("Door station", "门口机"),
    "DU": ("Dealer ID", "经销商编号"), "DV": ("Access denied, unauthorized entry level", "拒绝进入（级别）"),
    "DW": ("Access denied, interlock", "拒绝进入（互锁）"), "DX": ("Request to exit", "出门请求"), "DY": ("Door locked", "门已锁"),
    "DZ": ("Access denied, door secured", "拒绝进入（门已锁闭）"), "EE": ("Exit error", "外出延时错误"),
    "FC": ("Fire cancel", "取消火警"), "FI": ("Fire test begin", "消防测试开始"), "FK": ("Fire test end", "消防测试结束"),
    "FL": ("Fire alarm silenced", "火警消音"), "FX": ("Fire test", "消防测试"), "GX": ("Gas test", "燃气测试"),
    "JD": ("Date changed", "日期已改"), "JH": ("Holiday changed", "假日已改"), "JL": ("Log threshold", "记录将满"),
    "JO": ("Log overflow", "记录溢出"), "JP": ("User on premises", "用户在场"), "JR": ("Schedule executed", "执行计划"),
    "JS": ("Schedule changed", "计划已改"), "JT": ("Time changed", "时间已改"), "JV": ("User code changed", "密码已改"),
    "JX": ("User code deleted", "密码已删"), "JY": ("User code added", "密码已加"), "JZ": ("User level set", "级别已设"),
    "LB": ("Local program", "本地编程"), "LD": ("Local program denied", "拒绝本地编程"), "LE": ("Listen-in ended", "监听结束"),
    "LF": ("Listen-in begin", "监听开始"), "LS": ("Local program success", "本地编程成功"), "LU": ("Local program fail", "本地编程失败"),
    "LX": ("Local programming ended", "本地编程结束"), "MI": ("Message", "消息"), "NF": ("Forced perimeter arm", "强制周界布防"),
    "NL": ("Perimeter armed", "周界布防"), "NM": ("Perimeter armed, user defined", "自定义周界布防"),
    "OA": ("Automatic opening", "自动撤防"), "OC": ("Cancel report", "取消"), "OG": ("Open area", "分区撤防"),
    "OH": ("Early to open from alarm", "报警后提前撤防"), "OI": ("Fail to open", "未按时撤防"), "OJ": ("Late open", "延迟撤防"),
    "OK": ("Early open", "提前撤防"), "OL": ("Late to open from alarm", "报警后延迟撤防"), "OP": ("Opening report", "撤防"),
    "OQ": ("Remote opening", "远程撤防"), "OR": ("Disarm from alarm", "报警后撤防"), "OS": ("Opening keyswitch", "钥匙撤防"),
    "OT": ("Late to close", "未按时布防"), "OZ": ("Point opening", "防区撤防"),
    "RA": ("Remote programmer call failed", "远程编程呼叫失败"), "RB": ("Remote program begin", "远程编程开始"),
    "RC": ("Relay close", "继电器吸合"), "RD": ("Remote program denied", "拒绝远程编程"), "RN": ("Remote reset", "远程复位"),
    "RO": ("Relay open", "继电器断开"), "RP": ("Automatic test", "自动测试"), "RR": ("Power up", "上电"),
    "RS": ("Remote program success", "远程编程成功"), "RU": ("Remote program fail", "远程编程失败"), "RX": ("Manual test", "手动测试"),
    "SC": ("Change of state", "状态变化"), "TB": ("Tamper bypass", "防拆旁路"), "TC": ("All points tested", "全部测试完"),
    "TE": ("Test end", "测试结束"), "TP": ("Walk test point", "步测"), "TS": ("Test start", "测试开始"),
    "TU": ("Tamper unbypass", "防拆旁路解除"), "TW": ("Area watch start", "区域监视开始"), "TX": ("Test report", "测试"),
    "TZ": ("Area watch end", "区域监视结束"), "VI": ("Printer paper in", "打印机有纸"), "VO": ("Printer paper out", "打印机缺纸"),
    "VR": ("Printer restore", "打印机恢复"), "VT": ("Printer trouble", "打印机故障"), "VX": ("Printer test", "打印机测试"),
    "VY": ("Printer online", "打印机在线"), "VZ": ("Printer offline", "打印机离线"), "XA": ("Extra account report", "未知账号"),
    "XE": ("Extra point", "多余防区"), "XF": ("Extra RF point", "多余无线防区"), "XI": ("Sensor reset", "探测器复位"),
    "XW": ("Forced point", "强制旁路防区"), "YB": ("Busy seconds", "线卡占用"), "YG": ("Parameter changed", "参数已改"),
    "YN": ("Invalid report", "无效报告"), "YO": ("Unknown message", "未知消息"), "YW": ("Watchdog reset", "看门狗复位"),
    "YY": ("Status report", "状态报告"),
}
CODES: Mapping[str, SiaCode] = {
    **{code: meant for letter in FAMILIES for code, meant in _of_family(letter).items()},
    **RAISED, **RESTORED, **{code: SiaCode(*names) for code, names in HISTORY.items()},
}
