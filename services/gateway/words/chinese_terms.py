"""中文: words for the codes that events say. What is not here is said as it stands."""

KINDS = {"family": "亲友", "courier": "快递", "takeaway": "外卖", "service": "服务"}
"""Of visitors."""
BILL = {
    "free_period": "免费时段", "free_period_exceeded": "超出免费时段", "step": "计时", "cap": "封顶", "day_pass": "按天",
    "covered_by_pass": "当日已付", "permit": "月租", "exempt": "免费车辆", "on_duty": "执行任务", "share": "折扣",
    "class_corrected": "车型更正", "as_before": "同上"}
"""Codes of bill lines."""
MEANS = {
    "card": "门卡", "pin": "密码", "face": "人脸", "fingerprint": "指纹", "remote": "远程", "qr": "二维码", "unknown": "未知方式"}
RULES = {
    "fake_plate": "疑似假牌",
    "no_plate": "无车牌", "black_list": "黑名单", "white": "白名单", "permit": "月租", "visitor_pass": "访客通行证",
    "vehicle": "住户车辆", "look_alike": "车牌相似", "residents_only": "仅限住户", "room": "车位", "tariff": "按收费标准",
    "payment": "付费", "no_entry": "没有入场", "by_hand": "人工"}
"""Of parking."""
DOOR_RULES = {
    "residence": "居住", "duty": "值班", "visitor_pass": "访客通行证", "credential": "凭证", "floor": "楼层", "erasure": "注销",
    "device": "设备在用", "default": "默认不放行"}
"""Of access."""
DOORS = {
    "allowed_by_residence": "在此居住", "allowed_by_duty": "正在值班", "allowed_by_visitor_pass": "访客通行证有效",
    "credential_unknown": "所出示的凭证无人持有", "credential_expired": "所出示的凭证已过期", "floor_not_permitted": "没有到达此楼层的权限",
    "no_right_for_this_door": "没有开启此门的权限", "pass_unknown": "没有此访客通行证", "pass_revoked": "访客通行证已撤销",
    "pass_not_yet_valid": "访客通行证尚未生效", "pass_expired": "访客通行证已过期", "pass_elsewhere": "访客通行证不适用于此处",
    "pass_spent": "访客通行证已用完", "qr_malformed": "不是访客二维码", "qr_key_unknown": "二维码的签名密钥未知",
    "qr_signature_wrong": "二维码的签名不正确", "qr_of_another_community": "是其他小区的二维码", "resident_erased": "本人已注销",
    "device_retired": "此门的设备已停用"}
"""Why a door may be opened or not."""
REVOKED = {
    "host": "由邀请人撤销", "staff": "由工作人员撤销", "residence_ended": "邀请人已不在此居住", "host_erased": "邀请人的个人信息已删除"}
"""Why a visitor's pass counts no more."""
HOMES = {"owner": "业主", "tenant": "租户", "family": "家庭成员", "staff": "住家服务人员", "other": "其他"}
"""As what somebody lives in a home."""
ACCOUNTS = {
    "resident": "居民", "staff": "物业人员", "guard": "值班员", "grid": "网格员", "police": "民警", "operator": "运维人员"}
"""As what somebody signs in."""
PAPERS = {"driving_licence": "行驶证", "registration_certificate": "机动车登记证书"}
PASSAGES = {
    "plate_is_a_picture": "摄像机认为车牌是图片",
    "no_plate_read": "未识别到车牌", "on_the_black_list": "车牌在黑名单上", "white_counts": "车牌在白名单上",
    "permit_counts": "月租有效", "visitor_pass_counts": "访客通行证有效", "vehicle_counts": "是本小区住户的车辆",
    "resembles_a_plate_on_the_black_list": "车牌与黑名单上的车牌相似",
    "resembles_a_known_plate": "车牌与已登记的车牌相似，须由人工确认是否为同一辆车",
    "resembles_a_car_inside": "车牌与场内一辆车的车牌相似，须由人工确认是否为同一辆车", "lot_full": "车位已满",
    "pass_used_up": "访客通行证已用完", "pass_not_yet_valid": "访客通行证尚未生效", "pass_expired": "访客通行证已过期",
    "permit_used_up": "入场权限已用完", "permit_not_yet_valid": "月租尚未生效", "permit_expired": "月租已过期",
    "space_taken": "其月租车位已被另一辆车占用", "not_known_here": "车辆未登记，而此处仅限已登记的车辆进入",
    "pays_by_tariff": "按收费标准付费", "no_entry_known": "没有入场记录", "not_paid": "尚未付清停车费", "nothing_due": "无应付费用"}
"""Why a barrier was lifted or stayed shut."""
FINDINGS = {
    "missing_exit": "缺少出场记录", "look_alike": "车牌相似", "no_entry": "出场车辆没有入场记录", "no_plate": "车辆没有可识别的车牌",
    "fake_plate": "摄像机认为车牌是图片", "unclear_passage": "车辆是否通过不明", "unpaid_exit": "未付费出场", "overpaid": "付款多于应付"}
SETTLED = {
    "let_through": "已放行", "turned_away": "已劝返", "chosen": "已由人工认定", "waived": "免收", "left_earlier": "此前已离场",
    "paid": "事后已付清", "refunded": "已退款", "second_fact": "由其他事实认定", "other": "其他"}
OTHERS = {
    "refused": "设备拒绝", "unreachable": "设备无法连接，未发送", "unknown": "设备没有应答", "expired": "已过时限，未发送"}
REASONS = {**OTHERS, **PASSAGES, **DOORS, **REVOKED, **PAPERS, **FINDINGS, **SETTLED}
