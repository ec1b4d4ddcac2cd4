"""Codes of administrative divisions (GB/T 2260), with the year in which one ended.

The table beside this file is the union of the revisions 1980 to 2019 collected by the project cn/GB2260 (ministry of
civil affairs and bureau of statistics) and of the dated table in python-stdnum (LGPL 2.1 or later, after Wikipedia's lists).
Where they differ, the later end counts: one has 332522 end as 兰溪县 in 1982, the ministry lists it as 青田县 until 1999.
A code that only cn/GB2260 has ended in the year of the first revision without it.
"""

from functools import cache
from pathlib import Path

_BESIDE_THE_TABLE = {"810000", "820000", "830000"}
"""Residence permits of Hong Kong, Macao and Taiwan."""


@cache
def _ended() -> dict[str, int | None]:
    lines = (Path(__file__).parent / "divisions.tsv").read_text().splitlines()
    return {code: int(year) if year else None for code, _, year in (line.partition("\t") for line in lines)}


def is_known(code: str) -> bool:
    """Also for 9PPCCC, as in the foreigner's permanent residence card since December 2023: PP is a province."""
    if code.startswith("9"):
        return f"{code[1:3]}0000" in _ended()
    return code in _BESIDE_THE_TABLE or code in _ended()


def ended_before(code: str, year: int) -> bool:
    """Whether it ended in an earlier year; in the same year is no finding, and nobody minds a later beginning: numbers
    were given at sixteen once."""
    ended = _ended().get(code)
    return ended is not None and ended < year
