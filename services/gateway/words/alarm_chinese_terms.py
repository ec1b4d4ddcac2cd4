"""中文: words for what alarm, fire releases and broadcasts say in codes. What is not here is said as it stands."""

KINDS = {
    "fire": "火警", "gas": "燃气报警", "water": "漏水报警", "medical": "医疗求助", "panic": "紧急报警", "sos": "求助",
    "duress": "胁迫报警", "burglary": "入侵报警", "tamper": "防拆报警", "supervisory": "监管报警", "trouble": "故障",
    "line": "报警线路故障", "other": "报警"}
SEVERITIES = {"critical": "紧急", "high": "严重", "low": "轻微"}
ROLES = {
    "guard": "值班员", "guards": "值班员", "staff": "物业人员", "manager": "经理", "grid": "网格员", "police": "民警",
    "operator": "运维人员", "duty_manager": "值班经理", "fire_brigade": "消防队",
    "erased": "已注销的居民"}
"""Also the roles that an escalation names."""
SENT = {"guard": "值班员", "maintenance": "维修人员", "fire_brigade": "消防队", "police": "警察", "ambulance": "救护车"}
WAITED = {"acknowledgement": "确认接警", "verification": "核实", "dispatch": "派人", "resolution": "完成处理"}
HOW = {
    "on_site": "到场", "camera": "通过摄像机", "call": "通过电话", "second_sensor": "由第二个探测器", "cooking": "做饭",
    "steam": "水汽", "dust": "灰尘", "insects": "昆虫", "smoking": "吸烟", "fault": "故障", "test": "测试", "misuse": "误操作",
    "unknown": "原因不明", "put_out": "已扑灭", "repaired": "已修复", "helped": "已救助", "left": "当事人已离开",
    "handed_over": "已移交", "nothing_found": "未发现异常", "person": "由人员"}
"""How somebody knows, for what cause it was false, and how it ended."""
DETECTED = {
    "camera_alarm": "视频分析报警", "pir": "红外探测", "io_alarm": "报警输入", "tamper": "防拆报警", "fire_input": "消防输入",
    "panic": "紧急报警", "door_forced": "门被强行打开"}
CODES = {"line": "线路中断", "duress": "有人受到胁迫", "care:unanswered": "平安询问无人能够答复", "care:not_well": "有人查看后报告情况异常"}
CHECKED = {"sign": "已见住户活动", "well": "平安", "not_well": "情况异常", "unanswered": "无人能够答复", "called_off": "关爱已终止"}
"""How a wellness check ended."""
REASONS = {
    "sent_by_a_person": "由人员决定",
    "fire_is_real": "经人员核实火情属实", "person_decided": "由人员决定", "gas_verified": "该处燃气泄漏已核实",
    "incident_resolved": "警情已处理完毕",
    "incident_found_false": "警情为误报", "moved_out": "已搬离", "erased": "个人信息已删除",
    "fire_over": "已没有未结束的火情", "despite_fire": "尽管警情尚未结束", "fire_verified": "该处火情已核实",
    "incident_verified": "该处火情已核实", "by_hand": "人工", "held_open": "保持开启", "recalled": "召回首层",
    "normal": "恢复正常", "refused": "设备拒绝", "unreachable": "设备无法连接", "unknown": "设备没有应答",
    "no_channel": "没有可用的通知渠道", "given_up": "多次尝试后放弃", "ended": "此前已结束", "incident_over": "警情已结束",
    "all_clear": "警报解除"}
BROADCASTS = {"fire": "火灾", "gas": "燃气泄漏", "water": "漏水", "security": "治安", "other": "紧急情况"}
CATEGORIES = {"general": "一般", "maintenance": "维修", "outage": "停水停电", "fees": "费用", "safety": "安全"}
CHANNELS = {"none": "任何渠道", "push": "推送", "sms": "短信", "live": "实时消息", "screen": "屏幕"}
POPULATION = {"registered": "户籍人口", "floating": "流动人口", "foreign": "境外人员"}
SOURCES = {"self": "本人", "staff": "物业人员", "grid": "网格员", "police": "民警"}
STATES = {
    "raised": "已报警", "acknowledged": "已接警", "verified": "已核实", "found_false": "已判定为误报", "dispatched": "已派人",
    "resolved": "已处理完毕"}
RULES = {"fire_verified": "火情已核实", "incident_verified": "警情已核实", "by_hand": "人工"}
"""Of fire releases and broadcasts."""
