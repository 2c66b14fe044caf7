"""Writes RESULTS.md as the benchmarks run: a file's rows when its last test has ended."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from ratios import Goal
from results import write_section

_SCALE = "test_scale.py"
_REASONS: dict[Path, list[str]] = {}  # why goals of a file were not measured


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The scale takes ten minutes and runs when it is named; otherwise its rows stay as they are."""
    named = any(given.partition("::")[0].endswith(_SCALE) for given in config.args)
    return True if collection_path.name == _SCALE and not named else None


class MissedError(AssertionError):
    """Goals were measured, and missed."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    before = [goal for goal in _goals(item) if goal.missed]
    yield
    if missed := [str(goal) for goal in _goals(item) if goal.missed and goal not in before]:
        raise MissedError("; ".join(missed))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.excinfo is not None and not isinstance(call.excinfo.value, MissedError):
        kind = call.excinfo.typename  # its message may hold paths
        reason = str(call.excinfo.value) if report.skipped else f"its test failed ({kind})"
        _REASONS.setdefault(item.path, []).append(reason)
    return report


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    if (nextitem is None or nextitem.path != item.path) and _whole_files(item.config):
        reasons = dict.fromkeys(_REASONS.get(item.path, ["no test measures it"]))
        write_section(item.path.name, _goals(item), "; ".join(reasons))


def _whole_files(config: pytest.Config) -> bool:
    """One test alone is only printed: its file's other rows would be lost."""
    chosen = config.option
    return not (chosen.keyword or chosen.markexpr or chosen.deselect or any("::" in given for given in config.args))


def _goals(item: pytest.Item) -> list[Goal]:
    assert isinstance(item, pytest.Function)
    return [value for value in vars(item.module).values() if isinstance(value, Goal)]
