"""The module that xlwings Lite reads: what it registers, and what it answers to what Office.js sends."""

from __future__ import annotations

import inspect
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import holdwater
from holdwater.cli import main
from holdwater.errors import MissingExtraError, SetupError
from holdwater.hosts import lite
from holdwater.hosts.cells import functions


class JsNull:
    """Named as Pyodide names JavaScript's null."""


def error(text: str) -> dict[str, str]:
    """An error cell as Office.js sends it."""
    return {"type": "Error", "errorType": "whatever", "basicType": "Error", "basicValue": text}


@pytest.fixture
def docs(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """The two decorators of xlwings that are used, which note what they are told and check it as xlwings does."""
    told: dict[tuple[str, str], str] = {}
    xlwings = ModuleType("xlwings")

    def arg(name: str, convert: str, doc: str) -> Callable[[Any], Any]:
        def note(function: Any) -> Any:
            names = [f"*{p.name}" if p.kind == p.VAR_POSITIONAL else p.name for p in parameters(function)]
            assert name in names
            assert convert == "raw"
            told[function.__name__, name.lstrip("*")] = doc
            return function

        return note

    def func(function: Any) -> Any:
        function.__xlfunc__ = {"name": function.__name__}
        return function

    xlwings.arg, xlwings.func = arg, func  # type: ignore[attr-defined]  # a module made here
    monkeypatch.setitem(sys.modules, "xlwings", xlwings)
    return told


@pytest.fixture
def module(tmp_path: Path, docs: dict[tuple[str, str], str]) -> dict[str, Any]:
    """The generated main.py, run as it stands."""
    lite.write(tmp_path)
    return runpy.run_path(str(tmp_path / "main.py"))


def parameters(function: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())


def test_every_function_is_registered_with_its_help(module: dict[str, Any], docs: dict[tuple[str, str], str]) -> None:
    registered = {value.__name__.upper(): value for value in module.values() if hasattr(value, "__xlfunc__")}
    assert set(registered) == set(functions())
    for name, entry in functions().items():
        function = registered[name]
        assert function.__doc__ == entry.description
        assert [p.name for p in parameters(function)] == [a.name for a in entry.arguments]
        needed = [p.name for p in parameters(function) if p.default is p.empty and p.kind != p.VAR_POSITIONAL]
        assert needed == [a.name for a in entry.arguments if a.required][: len(needed)]
        assert all(docs[entry.name, a.name] == entry.help[a.name] for a in entry.arguments)
        assert not function.__annotations__, "xlwings takes annotations for converters"


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("ltv", [30.0, 0.04], 750.0),
        ("ltv", [30, 0.04, None, JsNull(), ""], 750.0),
        ("ltv", [30.0, 2.0], "#NUM!"),
        ("ltv", ["x", 0.04], "#VALUE!"),
        ("ltv", [True, 0.04], "#VALUE!"),
        ("ltv", [30.0, JsNull()], "#VALUE!"),
        ("ltv", [error("#N/A"), 0.04], "#N/A"),
        ("ltv", [error("#DIV/0!"), 0.04], "#DIV/0!"),
        ("ltv", [error("#CALC!"), 0.04], "#VALUE!"),
        ("ltv", [error("#PYTHON!"), 0.04], "#VALUE!"),
        ("ltv", [{"type": "FormattedNumber", "basicValue": 30.0, "numberFormat": "0"}, 0.04], 750.0),
        ("ltv", [[[30.0], [60.0], ["x"]], 0.04], [[750.0], [1500.0], ["#VALUE!"]]),
        ("ltv", [[30.0, 60.0], 0.04], [[750.0, 1500.0]]),  # one row: Lite has taken its outer list away
        ("ltv", [[[30.0], [error("#REF!")]], 0.04], [[750.0], ["#REF!"]]),
        ("conversion", [[0.5, 0.5]], 0.25),
        ("explain", ["LTV", 30.0, 2.0], "LTV: churn is 2; allowed is 0 to 1 (rate)."),
    ],
)
def test_cells_come_and_go(module: dict[str, Any], name: str, given: list[Any], expected: Any) -> None:
    answer = module[name](*given)
    assert answer == expected
    json.dumps(answer, allow_nan=False)


def test_a_row_of_numbers_is_a_row(module: dict[str, Any]) -> None:
    assert module["ltv_range"](30.0, 4.0, 100.0) == [list(holdwater.ltv_range(30, 4, 100))]


def test_it_is_imported_without_xlwings_and_says_where_it_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlwings", None)
    with pytest.raises(MissingExtraError, match="part of xlwings Lite"):
        lite.register({})


def test_the_files_are_written_once_and_none_is_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "for" / "lite"
    lite.write(folder)
    lite.write(folder)
    assert (folder / "main.py").read_text() == "from holdwater.hosts import lite\nlite.register(globals())\n"
    assert (folder / "requirements.txt").read_text().split() == [f"holdwater=={holdwater.__version__}", "numpy"]
    (folder / "requirements.txt").write_text("pandas\n")
    (folder / "main.py").unlink()
    with pytest.raises(SetupError, match=r"requirements.txt exists"):
        lite.write(folder)
    assert not (folder / "main.py").exists()
    with pytest.raises(SetupError, match="cannot be written"):
        lite.write(folder / "requirements.txt" / "below")
    (tmp_path / "odd" / "main.py").mkdir(parents=True)
    for odd in ("odd", "x" * 300):
        with pytest.raises(SetupError, match="give another folder"):
            lite.write(tmp_path / odd)


def test_the_command_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lite", str(tmp_path / "out")]) == 0
    assert str(tmp_path / "out") in capsys.readouterr().out
    assert (tmp_path / "out" / "main.py").read_text() == lite.MAIN
    (tmp_path / "out" / "main.py").write_text("mine = 1\n")
    assert main(["lite", str(tmp_path / "out")]) == 3
    assert "main.py exists" in capsys.readouterr().err


CALLED_BY_LITE = """
import asyncio, json, math, runpy, sys
from types import SimpleNamespace
from xlwings.pro.udfs_officejs import custom_functions_call, custom_functions_meta
module = SimpleNamespace(**runpy.run_path("main.py"))
about = custom_functions_meta(module)["functions"]
def call(name, *args):
    data = {"func_name": name, "args": list(args), "version": "x", "client": "Office.js", "runtime": "1.4"}
    return asyncio.run(custom_functions_call(data, module))
error = {"type": "Error", "basicType": "Error", "basicValue": "#N/A", "errorType": "NotAvailable"}
print(json.dumps({
    "names": sorted(f["name"] for f in about),
    "ltv": next(f for f in about if f["name"] == "LTV"),
    "answers": [
        call("ltv", [[30]], [[0.04]], None, None, None, None),
        call("ltv", [[30]], [[2]]),
        call("ltv", [[error]], [[0.04]]),
        call("ltv", [[30, 60]], [[0.04]]),
        call("ltv", [[30], [60]], [[0.04]]),
        call("explain", [["LTV"]], [[[30]], [[2]]]),
    ],
}, allow_nan=False))
"""


def test_called_by_the_code_that_lite_runs(tmp_path: Path) -> None:
    """That code is free for noncommercial use only, so it runs where its licence was accepted."""
    if os.environ.get("XLWINGS_LICENSE_KEY") != "noncommercial":
        pytest.skip("set XLWINGS_LICENSE_KEY=noncommercial where that licence of xlwings holds")
    lite.write(tmp_path)
    (tmp_path / "called.py").write_text(CALLED_BY_LITE)
    env = os.environ | {"XLWINGS_ON_SERVER": "true"}
    done = subprocess.run(
        [sys.executable, "called.py"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["names"] == sorted(functions())
    entry = functions()["LTV"]
    assert said["ltv"]["description"] == entry.description
    assert [p["description"] for p in said["ltv"]["parameters"]] == [entry.help[a.name] for a in entry.arguments]
    assert [p.get("optional", False) for p in said["ltv"]["parameters"]] == [not a.required for a in entry.arguments]
    na, num = ({"type": "Error", "errorType": kind} for kind in ("NotAvailable", "Num"))
    assert said["answers"][:5] == [[[750.0]], [[num]], [[na]], [[750.0, 1500.0]], [[750.0], [1500.0]]]
    assert said["answers"][5] == [["LTV: churn is 2; allowed is 0 to 1 (rate)."]]
