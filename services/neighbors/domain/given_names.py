"""The display name of who has chosen none: two words and two digits, as in 青竹听雨07.

It follows from a seed alone, which a keyed hash makes of the resident: without the key nobody gets from one to the other.
"""

import re
from hashlib import sha256

_FIRST = (
    "青竹 白杨 垂柳 枫叶 银杏 梧桐 云杉 翠柏 芦苇 木槿 紫藤 薄荷 蒲草 栀子 腊梅 山茶 山雀 百灵 喜鹊 白鹭 云雀 画眉 锦鲤 蜻蜓 "
    "松鼠 小鹿 青鸟 晨雾 晚霞 瑞雪 春雨 夏荷 秋水 冬阳 微风 流云 溪流 湖光 山岚 星河 朝露 霜叶 麦浪 稻香 茶园 石桥 灯塔 纸鸢")
_SECOND = (
    "听雨 观云 踏雪 寻梅 煮茶 抚琴 读书 望月 追风 采莲 放歌 漫步 小憩 晒书 种花 养鱼 看海 赏菊 弄笛 画扇 写信 摘星 远行 归来 "
    "闲坐 微笑 沉思 早起 晚归 慢跑 垂钓 登高 泛舟 对弈 拾贝 品茗 临帖 吹箫 折纸 浇园 酿酒 酿蜜 喂鸟 喝汤 做梦 乘凉 采茶 数星")
FIRST, SECOND = tuple(_FIRST.split()), tuple(_SECOND.split())
SHAPE = re.compile(f"(?:{'|'.join(FIRST)})(?:{'|'.join(SECOND)})[0-9]{{2}}")


def given_name(seed: str, attempt: int = 0) -> str:
    """`attempt`: the next one, where another neighbour has the one before."""
    number = int.from_bytes(sha256(f"{seed} {attempt}".encode()).digest()[:8])
    number, digits = divmod(number, 100)
    number, second = divmod(number, len(SECOND))
    return f"{FIRST[number % len(FIRST)]}{SECOND[second]}{digits:02}"


def looks_given(name: str) -> bool:
    """Whether somebody could have it without having chosen it."""
    return SHAPE.fullmatch(name) is not None
