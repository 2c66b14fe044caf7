"""What every test may use."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest

import holdwater
import holdwater.bucket
import holdwater.models.cells

# The same cases every time, and no failure because a machine is slow.
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis.settings.load_profile("steady")

# No test reads or writes the keyring of the person who runs it, or knows their key.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
os.environ.pop("HOLDWATER_PERSON_KEY", None)


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    cases = [item for item in items if isinstance(item, pytest.Function) and item.get_closest_marker("repeats")]
    for case in cases:
        if any(case.callspec.indices.values()):
            case.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Published examples and real exports that live beside the project, never inside it."""
    here = Path(os.environ.get("HOLDWATER_SHARED", Path(__file__).parents[2] / "shared"))
    if not here.is_dir():
        pytest.skip("the shared examples and data are not on this machine (set HOLDWATER_SHARED)")
    return here


@pytest.fixture(scope="session")
def olist(shared: Path) -> Path:
    """The marketing funnel of Olist: 8,000 real leads and 842 won deals."""
    folder = shared / "data" / "olist_funnel"
    if not folder.is_dir():
        pytest.skip("the Olist export is not on this machine; its licence forbids shipping it")
    return folder


@pytest.fixture(autouse=True)
def _names_in_doctests(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["holdwater"] = holdwater


Evaluate = Callable[..., list[Any]]


@pytest.fixture
def ironcalc(tmp_path: Path) -> Evaluate:
    """Evaluates rows of (cells, formulas) in a real spreadsheet engine, through a real .xlsx file."""

    def evaluate(rows: Sequence[tuple[Sequence[Any], Sequence[str]]], names: Mapping[str, str]) -> list[list[Any]]:
        """Each row's cells start at column A, its formulas at column K; errors come back as their text."""
        import ironcalc as engine
        import xlsxwriter

        path = tmp_path / "cases.xlsx"
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet("Cases")
            for name, text in names.items():
                book.define_name(name, f"={text}")
            for row, (cells, formulas) in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, str) and cell.startswith("#"):
                        sheet.write_formula(row, column, f"={'NA()' if cell == '#N/A' else '1/0'}")
                    elif isinstance(cell, str):
                        sheet.write_string(row, column, cell)
                    elif cell is not None:
                        sheet.write(row, column, cell)
                for column, formula in enumerate(formulas):
                    sheet.write_dynamic_array_formula(row, 10 + column, row, 10 + column, f"={formula}")
        model = engine.load_from_xlsx(str(path), "en", "UTC", "en")
        model.evaluate()
        return [
            [model.get_cell_value(0, row + 1, 11 + column) for column in range(len(formulas))]
            for row, (_, formulas) in enumerate(rows)
        ]

    return evaluate
