"""The built wheel in the Python of xlwings Lite: Pyodide, here under Node, without any network."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holdwater.hosts.cells import CellError, evaluate

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PYODIDE = ROOT / "build" / "pyodide"  # .ci/run puts it there

MODEL = [
    ["leads", 100.0],
    ["cost per lead", 20.0],
    ["conversion", 0.1],
    ["revenue per customer", 100.0],
    ["churn", 0.05],
    ["gross margin", 0.6],
]
FORMULAS: list[tuple[str, list[Any]]] = [
    ("LTV", [30.0, 0.04]),
    ("LTV", [30.0, 0.04, 0.01, None, 24.0, 1.0]),
    ("LTV", [30.0, 2.0]),
    ("LTV", ["thirty", 0.04]),
    ("LTV", [[[30.0], [60.0], ["x"]], 0.04]),
    ("LTV_RANGE", [30.0, 4.0, 100.0]),
    ("CHURN", [200.0, 13.0]),
    ("CHURN_CONVERT", [0.3, 12.0]),
    ("PAYBACK", [6000.0, 400.0, 0.03]),
    ("ALLOWABLE_CAC", [750.0]),
    ("ALLOWABLE_CPL", [552.5, 0.2]),
    ("CONVERSION", [[[0.5], [0.2], [0.1]]]),
    ("LEADS_NEEDED", [12.0, 0.05]),
    ("SALES_VELOCITY", [40.0, 900.0, 0.2, 30.0]),
    ("RATE_LOW", [3.0, 40.0]),
    ("RATE_HIGH", [3.0, 40.0]),
    ("TRIALS_NEEDED", [0.05, 0.02]),
    ("CUSTOMERS_CEILING", [10.0, 0.04]),
    ("CEILING_PERIODS", [10.0, 0.04, 100.0]),
    ("REPS_NEEDED", [30.0, 10.0, 5.0]),
    ("SBG_FIT", [[[1000.0], [869.0], [743.0], [653.0], [593.0]]]),
    ("BUCKET_PROFIT", [MODEL]),
    ("VERDICT", [MODEL]),
    ("EXPLAIN", ["LTV", 30.0, 2.0]),
]
# Through the module that Lite reads, with JavaScript's own null where an argument is omitted; what xlwings does to a
# function is tried in test_lite.py.
PROGRAM = """
import json, sys, types, typing
from pyodide.ffi import jsnull

sys.modules["xlwings"] = types.SimpleNamespace(arg=lambda name, convert, doc: lambda f: f, func=lambda f: f)
from holdwater.hosts import lite

module = {{}}
exec(lite.MAIN, module)
calls = [
    (module[name.lower()], [jsnull if value is None else value for value in given])
    for name, given in json.loads({formulas!r})
]
assert not any(typing.get_type_hints(function) for function, _ in calls)
answer = json.dumps([function(*given) for function, given in calls], allow_nan=False)
"""


def lacking(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"CI installs {what}; it is not there")
    pytest.skip(f"{what} is not there; .ci/run says how to install it")


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        lacking("Node")
    if not (PYODIDE / "node_modules" / "pyodide").is_dir() or not (PYODIDE / "wheels").is_dir():
        lacking("Pyodide")
    return str(found)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    (built,) = folder.glob("*.whl")
    return built


def said(answer: Any) -> Any:
    if isinstance(answer, CellError):
        return answer.value
    return [said(item) for item in answer] if isinstance(answer, list) else answer


def agree(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(agree, ours, theirs))
    if isinstance(ours, float):
        return isinstance(theirs, (int, float)) and math.isclose(ours, theirs, rel_tol=1e-12)
    return bool(ours == theirs)


def test_the_wheel_needs_nothing_compiled(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")


def test_formulas_have_their_values_in_pyodide(node: str, wheel: Path) -> None:
    done = subprocess.run(
        [node, str(Path(__file__).with_name("in_pyodide.mjs")), str(PYODIDE), str(wheel)],
        input=PROGRAM.format(formulas=json.dumps(FORMULAS)), capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    theirs = json.loads(done.stdout.splitlines()[-1])
    expected = [said(evaluate(name, given)) for name, given in FORMULAS]
    errors = [value for value in expected if isinstance(value, str) and value.startswith("#")]
    assert errors == ["#NUM!", "#VALUE!"], "a call that fails in both would prove nothing"
    wrong = [
        f"{name}{given}: {ours} here, {value} there"
        for (name, given), ours, value in zip(FORMULAS, expected, theirs, strict=True)
        if not agree(ours, value)
    ]
    assert wrong == []
