"""RESULTS.md: a section for each benchmark, replaced whenever all of that benchmark has run."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from peer_environment import PEERS
from ratios import Goal

RESULTS = Path(__file__).with_name("RESULTS.md")
_HEADING = "## "
_COLUMNS = ("Goal", "Measured: median (range)", "Verdict", "Peer", "Repeat it with")
_MISSED, _NOT_MEASURED = "**missed**", "**not measured**"


def write_section(benchmark: str, goals: Iterable[Goal], why_not: str, results: Path = RESULTS) -> None:
    """Replace what `results` says of a benchmark (such as test_purchases.py) and count the verdicts anew."""
    command = f"`tox -e bench -- benchmarks/{benchmark}`"
    rows = [_COLUMNS, tuple("---" for _ in _COLUMNS)]
    rows += [(str(goal), *_found(goal, why_not), _with_version(goal.peer), command) for goal in goals]
    table = "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)
    sections = _sections(results) | {benchmark: f"Measured {_circumstances()}.\n\n{table}\n"}
    text = "\n".join(f"{_HEADING}{name}\n\n{sections[name]}" for name in sorted(sections))
    draft = results.with_suffix(".draft")
    draft.write_text(_introduction(text) + text, encoding="utf-8")
    draft.replace(results)


def _found(goal: Goal, why_not: str) -> tuple[str, str]:
    if not goal.ratios:
        return "-", f"{_NOT_MEASURED}: {why_not}"
    middle, low, high = (_number(of(goal.ratios)) for of in (median, min, max))
    repeats = len(goal.ratios)
    verdict = "no goal set" if goal.at_least is goal.at_most else _MISSED if goal.missed else "met"
    return f"{middle} ({low} to {high} in {repeats})" if repeats > 1 else middle, verdict


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _with_version(peer: str) -> str:
    pins = PEERS / f"{peer}.txt"
    if pins.is_file():
        pinned = re.search(rf"^{re.escape(peer)}(?:\[.*\])?==(\S+)", pins.read_text(encoding="utf-8"), re.MULTILINE)
        return f"{peer} {pinned[1]}" if pinned else peer
    try:
        return f"{peer} {version(peer)}"
    except (PackageNotFoundError, ValueError):  # in words
        return peer


def _circumstances() -> str:
    """The day and the machine, which nobody can be recognised by."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    facts = [f"{cores} cores"]
    if hasattr(os, "sysconf"):
        facts.append(f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GB of memory")
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:  # Windows, macOS
        system = f"{platform.system()} {platform.release()}"
    facts += [system, platform.machine(), f"Python {platform.python_version()}"]
    return f"{datetime.now(UTC):%Y-%m-%d} on {', '.join(facts)}"


def _sections(results: Path) -> dict[str, str]:
    if not results.exists():
        return {}
    _, *sections = re.split(rf"^{_HEADING}", results.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: text.strip("\n") + "\n" for name, _, text in (section.partition("\n") for section in sections)}


def _introduction(text: str) -> str:
    met, missed, unmeasured = (text.count(f"| {word}") for word in ("met |", f"{_MISSED} |", _NOT_MEASURED))
    return f"""# Speed beside the peers

Each figure is a ratio of two measurements of one run on one machine, ours and a peer's on the same data with the same
results; of a time alone nothing is claimed. `tox -e bench` measures all again but the scale, and
`tox -e bench -- benchmarks/test_scale.py` that; with the name of a file it replaces that file's rows.

Of the goals {met} are met, {missed} missed and {unmeasured} not measured.

"""
