"""The add-in's file, as far as it can be judged without Calc."""

from __future__ import annotations

import ast
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from holdwater.cli import main
from holdwater.errors import WorkbookError
from holdwater.hosts.calc import build, contents
from holdwater.hosts.cells import functions

COMMITTED = Path(__file__).parents[2] / "workbook" / "holdwater.oxt"
OOR = "{http://openoffice.org/2001/registry}"
# What came with Python 3.11; LibreOffice 25.2 for Windows and Macs carries 3.10.
TOO_NEW = {
    "datetime": {"UTC"},
    "enum": {"StrEnum", "ReprEnum", "verify", "member", "nonmember"},
    "typing": {
        "Self",
        "assert_never",
        "assert_type",
        "LiteralString",
        "Never",
        "NotRequired",
        "Required",
        "reveal_type",
    },
    "math": {"cbrt", "exp2", "sumprod"},
    "itertools": {"batched"},
}


def read(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def test_the_committed_add_in_is_current() -> None:
    if not COMMITTED.exists():
        pytest.skip("the committed add-in is part of the checkout, not of the source distribution")
    assert read(COMMITTED) == contents(), "run: holdwater calc build workbook/holdwater.oxt"


def test_the_same_sources_give_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(tmp_path / "one.oxt")
    assert main(["calc", "build", str(tmp_path / "two.oxt")]) == 0
    assert "Tools > Extensions" in capsys.readouterr().out
    assert (tmp_path / "one.oxt").read_bytes() == (tmp_path / "two.oxt").read_bytes()
    assert read(tmp_path / "one.oxt") == contents()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calc", "build", str(tmp_path / "nowhere" / "x.oxt")]) == 6
    assert "x.oxt cannot be written: No such file or directory" in capsys.readouterr().err


def test_a_name_that_is_no_add_in_is_refused_before_it_is_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = tmp_path / "budget.xlsx"
    book.write_bytes(b"a year of work")
    assert main(["calc", "build", str(book)]) == 6
    assert "let it end in .oxt" in capsys.readouterr().err
    assert book.read_bytes() == b"a year of work"


def test_an_add_in_that_cannot_be_replaced_stays_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "holdwater.oxt"
    path.write_bytes(b"the one that works")

    def full(self: Path, content: bytes) -> int:
        with open(self, "wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WorkbookError, match="No space left"):
        build(path)
    assert path.read_bytes() == b"the one that works"
    assert list(tmp_path.iterdir()) == [path]


def test_it_brings_its_licence() -> None:
    assert contents()["LICENSE"].startswith(b"MIT License")


def test_every_function_is_described() -> None:
    root = ElementTree.fromstring(contents()["CalcAddIns.xcu"])
    (nodes,) = [n for n in root.iter("node") if n.get(f"{OOR}name") == "AddInFunctions"]
    described = {text(node, "CompatibilityName"): node for node in nodes}
    assert set(described) == set(functions())
    for name, entry in functions().items():
        node = described[name]
        assert text(node, "DisplayName") == name
        assert text(node, "Description") == entry.description
        parameters = [p for group in node.findall("node") for p in group]
        assert [text(p, "DisplayName") for p in parameters] == [a.name for a in entry.arguments]
        assert all(text(p, "Description").startswith(entry.help[a.name])
                   for p, a in zip(parameters, entry.arguments, strict=True))  # fmt: skip


def text(node: ElementTree.Element, name: str) -> str:
    (value,) = [v.text for p in node.findall("prop") if p.get(f"{OOR}name") == name for v in p]
    return value or ""


def test_the_types_name_every_function_in_letters_that_the_office_can_read() -> None:
    types = contents()["holdwater.idl"].decode()
    declared = re.findall(r"> (\w+)\((.*)\);", types)
    assert [name.lower() for name, _ in declared] == [name.lower().replace("_", "") for name in sorted(functions())]
    assert "_" not in types, "the office refuses the whole file"
    assert types.count("[in]") == sum(len(entry.arguments) for entry in functions().values())


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path, source in contents().items():
        if path.endswith(".py"):
            yield path, ast.parse(source, path, feature_version=(3, 10))


def imported(tree: ast.Module) -> Iterator[tuple[str, set[str]]]:
    """What a module imports when it runs: what only a type checker reads stands in an `if TYPE_CHECKING`."""
    unread = {n for i in ast.walk(tree) if isinstance(i, ast.If) and "TYPE_CHECKING" in ast.unparse(i.test)
              for n in ast.walk(i)}  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node not in unread:
            yield str(node.module), {alias.name for alias in node.names}
        elif isinstance(node, ast.Import) and node not in unread:
            yield from ((alias.name, set()) for alias in node.names)


def test_it_needs_the_standard_library_alone_and_none_newer_than_the_office_has() -> None:
    office = {"uno", "unohelper", "com"}
    for path, tree in modules():
        if "/models/" in path:  # fitted models need NumPy, and answer #N/A without
            continue
        for module, names in imported(tree):
            top = module.partition(".")[0]
            assert top == "holdwater" or top in sys.stdlib_module_names or (top in office and path == "calc_addin.py")
            assert not names & TOO_NEW.get(module, set()), f"{path}: {names} of {module}"
        attributes = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not attributes & {f"{module}.{name}" for module, names in TOO_NEW.items() for name in names}, path


def test_it_carries_what_a_cell_needs_and_no_more() -> None:
    paths = {path.removeprefix("pythonpath/holdwater/") for path in contents() if path.startswith("pythonpath/")}
    assert {"hosts/cells.py", "formulas/retention.py", "bucket/verdict.py", "errors.py"} <= paths
    assert not [
        p for p in paths if p.startswith(("crm", "store", "metrics", "workbook", "sandbox", "translate", "cli"))
    ]
