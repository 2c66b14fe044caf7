"""The page of measured ratios: a row for each goal, honest about what was missed and what was not measured."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from ratios import Goal, over, paired
from results import write_section

pytest_plugins = ["pytester"]
BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def rows(page: Path) -> list[list[str]]:
    lines = page.read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "`tox -e bench -- " in line[1:]]


def test_each_goal_is_a_row_with_its_verdict_and_the_pinned_peer(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    met, missed = Goal("Met", at_least=10, peer="lifetimes"), Goal("Missed", "times the time", "numpy", at_most=2)
    met.measured([9, 12, 11])
    missed.measured([2.5])
    absent, compared = Goal("Absent", at_most=1, peer="a loop"), Goal("Compared", "times the time of a loop")
    compared.measured(1234.5)
    write_section("test_b.py", [met, missed, absent, compared], "Calc is not installed", page)
    found = [row for row in rows(page) if len(row) == 5]
    assert found[0] == [
        "Met: at least 10 times as fast",
        "11 (9 to 12 in 3)",
        "met",
        "lifetimes 0.11.3",
        "`tox -e bench -- benchmarks/test_b.py`",
    ]
    assert found[1][1:3] == ["2.5", "**missed**"]
    assert re.fullmatch(r"numpy \d+\.\d+\.\d+", found[1][3])
    assert found[2][1:4] == ["-", "**not measured**: Calc is not installed", "a loop"]
    assert found[3][:3] == ["Compared: times the time of a loop", "1,234", "no goal set"]
    text = page.read_text(encoding="utf-8")
    assert "Of the goals 1 are met, 1 missed and 1 not measured." in text
    assert re.search(r"on \d+ cores, \d+ GB of memory, .*Python 3", text)
    assert socket.gethostname() not in text
    assert str(tmp_path) not in text


def test_a_file_that_ran_again_replaces_its_rows_only(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    for name, ratio in (("test_b.py", 3), ("test_a.py", 5), ("test_b.py", 4)):
        goal = Goal("Sort", at_most=9)
        goal.measured(ratio)
        write_section(name, [goal], "", page)
    assert [(row[1], row[4]) for row in rows(page) if len(row) == 5] == [
        ("5", "`tox -e bench -- benchmarks/test_a.py`"),
        ("4", "`tox -e bench -- benchmarks/test_b.py`"),
    ]
    assert page.read_text(encoding="utf-8").count("# Speed") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["RESULTS.md"]


def test_of_several_cases_the_worst_counts() -> None:
    goal = Goal("Call", at_most=10)
    for ratios in ([3.0], [8.0, 9.0], [1.0]):
        goal.measured(ratios)
    assert goal.ratios == [8.0, 9.0]


def test_a_goal_has_one_bar() -> None:
    with pytest.raises(ValueError, match="one of them"):
        Goal("Sort", at_least=1, at_most=2)


def test_ratios_are_those_of_the_two_times() -> None:
    quick, slow = (lambda: sum(range(10))), (lambda: sum(range(1_000_000)))
    assert all(ratio > 1 for ratio in paired(slow, quick, 3))
    assert len(over(1e9, quick, 4)) == 4
    assert min(over(1e9, quick, 4)) > 1


BENCHMARK = """
import pytest
from ratios import Goal
A, A2 = Goal("A", at_least=2), Goal("A2", at_most=9)
B, C = Goal("B", at_most=2), Goal("C", at_most=2)
def test_a(): A.measured(3)
def test_b(): B.measured(3), A2.measured(4)
def test_c(): pytest.skip("no such program here")
"""


@pytest.fixture
def copied(pytester: pytest.Pytester) -> pytest.Pytester:
    for name in ("conftest.py", "results.py", "ratios.py", "peer_environment.py"):
        (pytester.path / name).write_text((BENCHMARKS / name).read_text(encoding="utf-8"), encoding="utf-8")
    pytester.makepyfile(
        test_it=BENCHMARK, test_scale="from ratios import Goal\nD = Goal('D', at_most=1)\ndef test_d(): pass"
    )
    pytester.makeini("[pytest]\npythonpath = .")
    return pytester


def test_one_run_writes_the_page_as_the_files_end(copied: pytest.Pytester) -> None:
    page = copied.path / "RESULTS.md"
    copied.runpytest_subprocess("test_it.py::test_a").assert_outcomes(passed=1)
    assert not page.exists()  # a part of a file is only printed
    copied.runpytest_subprocess().assert_outcomes(passed=1, failed=1, skipped=1)
    assert [row[1:3] for row in rows(page) if len(row) == 5] == [
        ["3", "met"],
        ["4", "met"],  # in the test that missed another
        ["3", "**missed**"],
        ["-", "**not measured**: no such program here"],
    ]
    copied.runpytest_subprocess("test_scale.py").assert_outcomes(passed=1)
    assert "Of the goals 2 are met, 1 missed and 2 not measured." in page.read_text(encoding="utf-8")
