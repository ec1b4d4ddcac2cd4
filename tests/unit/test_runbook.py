"""The runbook's last table is kept true: every entry stands in it, and each test that it names is there."""

import re

from cli.place import ROOT

TEXT = (ROOT / "docs" / "runbook.md").read_text()
ENTRIES, _, TABLE = TEXT.partition("\n## How each entry was tried\n")
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in TABLE.splitlines() if line.startswith("| ")][1:]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_entry_was_tried_and_nothing_else_is_said_to_have_been():
    assert [row[0] for row in ROWS] == re.findall(r"^### (.+)$", ENTRIES, re.MULTILINE)
    assert all(len(row) == 3 for row in ROWS)


def test_each_names_a_test_or_says_that_it_needs_a_cluster():
    for entry, _, tried in ROWS:
        left = TEST.sub("", tried).strip(" ,;")
        assert (TEST.search(tried) and (not left or left.startswith("cluster: "))) or left.startswith("cluster: "), entry


def test_the_tests_are_there():
    for _, _, tried in ROWS:
        for file, name in TEST.findall(tried):
            assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE), f"{file}::{name}"
