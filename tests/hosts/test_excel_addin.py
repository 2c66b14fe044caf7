"""The add-in for Excel as a file: its macros read back and judged by others' tools, its ribbon, and where it goes."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from excel_stand_in import INTERPRETER
from pyvbaanalysis import analyze_module, analyze_office_file

import holdwater
from holdwater.cli import main
from holdwater.errors import SetupError, WorkbookError
from holdwater.formula import Argument, Formula
from holdwater.hosts import excel, excel_wrapper
from holdwater.hosts.cells import functions
from holdwater.hosts.excel_wrapper import ANSWERS, FUNCTIONS, HELP, PYTHON, Interpreter, vba_name, vba_text


@pytest.fixture(scope="module")
def addin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("excel") / "holdwater.xlam"
    excel.build(path, INTERPRETER)
    return path


@pytest.fixture(scope="module")
def sources(addin: Path) -> dict[str, str]:
    """The macros as another tool reads them out of the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it calls names of pyparsing that are going out of use
        from oletools.olevba import VBA_Parser

        parser = VBA_Parser(str(addin))
    try:
        return {name.rpartition(".")[0]: code for _, _, name, code in parser.extract_macros()}
    finally:
        parser.close()


def logical_lines(source: str) -> list[str]:
    return re.sub(r" _\r?\n", " ", source).splitlines()


def test_another_reader_finds_the_macros_in_the_file(sources: dict[str, str]) -> None:
    assert {PYTHON, ANSWERS, FUNCTIONS, HELP} < set(sources)
    defined = re.findall(r"(?m)^Public Function (\w+)\(", sources[FUNCTIONS])
    assert defined == list(functions())


def test_a_linter_finds_nothing(addin: Path) -> None:
    found = analyze_office_file(addin)
    assert {PYTHON, ANSWERS, FUNCTIONS, HELP} <= set(found)
    assert {module: [p.message for p in problems] for module, problems in found.items() if problems} == {}


def test_the_linter_would_find_a_reserved_word(sources: dict[str, str]) -> None:
    spoilt = sources[FUNCTIONS].replace("ByVal margin As", "ByVal next As", 1)
    assert spoilt != sources[FUNCTIONS]
    assert any(problem.severity.value == "error" for problem in analyze_module(spoilt))


@pytest.mark.parametrize("word", ["next", "new", "date", "loop", "step"])
def test_an_argument_with_a_name_that_vba_keeps_for_itself_gets_another(word: str) -> None:
    entry = functions()["LTV"]
    assert vba_name(entry, _named(entry, word)) == f"{word}_"


def _named(entry: Formula, name: str) -> Argument:
    first = entry.arguments[0]
    return Argument(name, first.unit, first.required, first.default)


def test_names_in_a_wrapper_differ_by_more_than_capitals() -> None:
    entry = functions()["LTV"]
    assert vba_name(entry, _named(entry, "ltv")) == "ltv_"
    for formula in functions().values():
        names = [vba_name(formula, a).casefold() for a in formula.arguments]
        assert len({*names, formula.excel_name.casefold()}) == len(names) + 1


def test_no_line_and_no_statement_is_longer_than_vba_allows(sources: dict[str, str]) -> None:
    for source in sources.values():
        lines = source.splitlines()
        assert max(map(len, lines), default=0) < 1023
        continued = [len(list(run)) for yes, run in itertools.groupby(line.endswith(" _") for line in lines) if yes]
        assert max(continued, default=0) <= 24


def test_every_function_and_argument_has_its_help_within_the_limit(sources: dict[str, str]) -> None:
    lines = [line for line in logical_lines(sources[HELP]) if line.strip().startswith('Describe "')]
    texts = {re.findall(r'"((?:[^"]|"")*)"', line)[0]: re.findall(r'"((?:[^"]|"")*)"', line) for line in lines}
    assert list(texts) == list(functions())
    for name, (_, category, description, *arguments) in texts.items():
        entry = functions()[name]
        assert category == f"Holdwater: {entry.category}"
        assert description.replace('""', '"') == entry.description
        assert len(arguments) == len(entry.arguments)
        for text, argument in zip(arguments, entry.arguments, strict=True):
            assert text.startswith(entry.help[argument.name].replace('"', '""'))
            assert len(text) <= 255
    assert "0 if left out" in texts["LTV"][5]
    assert "Attribute LTV.VB_Description = " in sources[FUNCTIONS]
    called = re.findall(r"(?m)^    (Describe\d+)\s*$", sources[HELP])
    assert called == re.findall(r"(?m)^Private Sub (Describe\d+)\(", sources[HELP])


def test_a_longer_help_is_cut_where_excel_would_refuse_it(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = functions()["LTV"]
    long = "word " * 100
    monkeypatch.setattr(Formula, "help", property(lambda self: {a.name: long for a in self.arguments}))
    assert len(excel_wrapper.argument_help(entry, entry.arguments[0])) == 255


def test_the_interpreter_is_written_in_and_no_setting_is_read(sources: dict[str, str]) -> None:
    assert '"""C:\\Program Files\\Python\\python.exe"" -E -P -c ' in sources[PYTHON]
    assert 'LibraryPath = "C:\\Program Files\\Python" & "\\" & LIBRARY' in sources[PYTHON]
    whole = "\n".join(sources.values())
    for reads in ("GetConfig", ".conf", "Environ", "ActiveWorkbook.Path", "FullName", "Dir(", "GetSetting", "CurDir"):
        assert reads.casefold() not in whole.casefold(), reads
    for line in whole.splitlines():  # it goes to the two buttons, and is asked for where help needs one open
        assert "ActiveWorkbook" not in line or "Is Nothing" in line or "Action, Array(ActiveWorkbook)" in line
    # Loaded by its whole path before it is called, and nothing is called where that fails.
    loaded, called = (
        whole.index("If LoadLibraryW(StrPtr(LibraryPath())) = 0 Then Err.Raise"),
        whole.index("If Activate("),
    )
    assert loaded < called


def test_a_path_in_any_letters_is_the_same_path_in_vba(xlpython: object) -> None:
    from pyopenvba.apps.excel import ExcelApplication

    application = ExcelApplication()
    application.add_workbook()
    for text in ('C:\\Jörg "x" 王\\python.exe', "", "plain", "ü", "🐍 snake"):
        shown = application.evaluate(vba_text(text))
        assert str(shown).encode("utf-16-le", "surrogatepass") == text.encode("utf-16-le")


HOSTILE = """
import pathlib, sys
pathlib.Path(__file__).with_name("pwned").write_text(__name__)
"""


def test_nothing_beside_the_workbook_is_imported(tmp_path: Path) -> None:
    """Excel's current folder is often the workbook's. There are modules of the names that the add-in imports."""
    for name in ("holdwater", "xlwings", "site", "sitecustomize", "usercustomize", "pywintypes", "win32api"):
        (tmp_path / f"{name}.py").write_text(HOSTILE)
    (tmp_path / "holdwater").mkdir()
    (tmp_path / "holdwater" / "__init__.py").write_text(HOSTILE.replace("__file__)", "__file__).parent"))
    (tmp_path / "xlwings.conf").write_text('"PYTHONPATH","."\n"INTERPRETER_WIN","evil.exe"\n')
    ours = Interpreter(sys.executable, "unused", "0")
    switches = ours.command.removeprefix(f'"{sys.executable}" ').split(" -c ")[0].split()
    script = "import sys, xlwings, holdwater.hosts.excel_udfs as half; print(xlwings.__file__, half.__file__, sys.path)"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    source = str(Path(holdwater.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, *switches, "-c", f"import sys; sys.path.append({source!r}); {script}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "pwned").exists()
    assert str(tmp_path) not in done.stdout
    # Without the switches it would have been: the test can fail.
    subprocess.run([sys.executable, "-c", "import xlwings"], cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert (tmp_path / "pwned").exists()


def test_the_ribbon_calls_macros_that_are_there(addin: Path, sources: dict[str, str]) -> None:
    with zipfile.ZipFile(addin) as package:
        assert package.testzip() is None
        assert len(set(package.namelist())) == len(package.namelist())
        ribbon = ElementTree.fromstring(package.read(excel.RIBBON_PART))
        relations = ElementTree.fromstring(package.read("_rels/.rels"))
        types = package.read("[Content_Types].xml").decode()
    targets = {r.get("Type", "").rpartition("/")[2]: r.get("Target") for r in relations}
    assert targets["extensibility"] == excel.RIBBON_PART
    assert len({r.get("Id") for r in relations}) == len(list(relations))
    assert "application/vnd.ms-excel.addin.macroEnabled.main+xml" in types
    actions = [e.get("onAction") for e in ribbon.iter() if e.get("onAction")]
    assert actions == ["HoldwaterRefresh", "HoldwaterVerdict"]
    for action in actions:
        assert f"Public Sub {action}(Control As IRibbonControl)" in sources[ANSWERS]


def test_it_knows_its_own_build_from_another(addin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "interpreter", lambda: INTERPRETER)
    assert excel.is_current(addin)
    monkeypatch.setattr(excel, "interpreter", lambda: Interpreter("C:\\other\\python.exe", "C:\\other", "0.37.8"))
    assert not excel.is_current(addin)
    (tmp_path / "broken.xlam").write_bytes(b"nothing")
    assert not excel.is_current(tmp_path / "broken.xlam")


def test_off_windows_it_says_what_to_use_instead(capsys: pytest.CaptureFixture[str]) -> None:
    if sys.platform == "win32":
        pytest.skip("here it installs")
    for action in ("install", "uninstall", "status"):
        assert main(["excel", action]) == 3
        assert "for Excel on Windows" in capsys.readouterr().err


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """XLSTART of a Windows that is not there; the platform is asked by its name."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(excel, "interpreter", lambda: INTERPRETER)
    monkeypatch.setenv("APPDATA", str(tmp_path / "Roaming"))
    return tmp_path / "Roaming" / "Microsoft" / "Excel" / "XLSTART" / "holdwater.xlam"


def test_install_status_uninstall(windows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["excel", "status"]) == 0
    assert "not installed" in capsys.readouterr().out
    assert main(["excel", "install"]) == 0
    assert windows.is_file()
    assert "=LTV(30, 0.04)" in capsys.readouterr().out
    assert main(["excel", "status"]) == 0
    assert "current" in capsys.readouterr().out
    windows.write_bytes(b"an older one")
    assert main(["excel", "status"]) == 0
    assert "holdwater excel install" in capsys.readouterr().out
    assert main(["excel", "uninstall"]) == 0
    assert list(windows.parent.iterdir()) == []
    assert main(["excel", "uninstall"]) == 0
    assert "was not installed" in capsys.readouterr().out


def test_while_excel_has_it_open_it_says_so_and_leaves_nothing(
    windows: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["excel", "install"]) == 0
    before = windows.read_bytes()

    def held(*given: object) -> None:
        raise PermissionError(13, "in use")

    monkeypatch.setattr(os, "replace", held)
    assert main(["excel", "install"]) == 6
    assert "close Excel" in capsys.readouterr().err
    monkeypatch.setattr(Path, "unlink", held)
    assert main(["excel", "uninstall"]) == 6
    assert "close Excel" in capsys.readouterr().err
    monkeypatch.undo()
    assert windows.read_bytes() == before


def test_a_python_whose_files_excel_cannot_see_is_refused(
    windows: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = r"C:\Program Files\WindowsApps\PythonSoftwareFoundation.Python.3.12_3.12.2800.0_x64__qbz5n2kfra8p0"
    monkeypatch.setattr(sys, "base_prefix", store)
    for action in ("install", "status"):
        assert main(["excel", action]) == 3
        assert "python.org" in capsys.readouterr().err
    assert not windows.exists()


def test_the_command_is_found_without_the_folder_of_scripts() -> None:
    """Which Windows often does not search."""
    environment = os.environ | {"PYTHONPATH": str(Path(holdwater.__file__).parents[1])}
    command = [sys.executable, "-m", "holdwater", "--version"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"holdwater {holdwater.__version__}\n"


def test_build_writes_it_anywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["excel", "build", str(tmp_path / "out.xlam")]) == 0
    assert excel.is_current(tmp_path / "out.xlam")
    assert [path.name for path in tmp_path.iterdir()] == ["out.xlam"]
    assert main(["excel", "build"]) == 2
    assert main(["excel", "build", str(tmp_path / "out.xlsx")]) == 6
    assert main(["excel", "build", str(tmp_path / "none" / "out.xlam")]) == 6
    assert main(["excel", "status", str(tmp_path / "out.xlam")]) == 2
    assert "OUT.xlam" in capsys.readouterr().err


@pytest.mark.parametrize(
    "python", ["C:\\a$(b)\\python.exe", "C:\\王\\python.exe", "C:\\%PATH%\\python.exe", f"C:\\{'x' * 2000}\\python.exe"]
)
def test_a_python_that_excel_could_not_start_is_refused(monkeypatch: pytest.MonkeyPatch, python: str) -> None:
    monkeypatch.setattr(sys, "executable", python)
    with pytest.raises(SetupError, match="plain letters"):
        excel.interpreter()


def test_an_address_that_is_no_addin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="an add-in of Excel"):
        excel.build(tmp_path / "x.xlsm", INTERPRETER)
