"""The demo workbook: live formulas that a real engine computes to the values shown, and figures that are true."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import formula_cells, values

from holdwater.demo import demo
from holdwater.sandbox import DEFAULT, simulate
from holdwater.sandbox.truth import REFERRALS


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.xlsx"
    demo(path, seed=1)
    return path


def test_every_formula_cell_computes_to_the_value_it_shows(book: Path) -> None:
    cells = formula_cells(book)
    assert len(cells) > 200
    assert [c for c in cells if not c.agrees] == []
    assert [c for c in cells if c.place.startswith("Today!") and str(c.cached).startswith("#")] == []


def test_the_figures_are_true_of_the_simulated_business(book: Path) -> None:
    """Against the simulation itself: what really happened, not what the workbook makes of it."""
    business = simulate(seed=1)
    cells = values(book, "Figures")
    shown = {cells[f"A{row}"]: cells[f"B{row}"] for row in range(5, 40) if f"A{row}" in cells}
    months = [(2026, 7), (2026, 8), (2026, 9)]
    arrived = sum((c.created.year, c.created.month) in months for c in business.contacts.values())
    assert shown["Leads per month"] == pytest.approx(arrived / 3)
    own = {c.id for c in business.contacts.values() if c.source != REFERRALS}  # whom no customer has sent
    won = sum((c.start.year, c.start.month) in months and c.contact_id in own for c in business.customers.values())
    assert shown["Customers won per month from leads"] == pytest.approx(won / 3, rel=0.2)
    spent = float(sum(row.amount for row in business.spend))
    paid = {source.name for source in DEFAULT.sources if source.cost_per_lead}
    leads = sum(c.source in paid for c in business.contacts.values())
    assert shown["What a lead costs"] == pytest.approx(spent / leads)
    sheet = values(book, "Sources")
    for row in range(6, 13):
        name = None if sheet[f"A{row}"] == "(not recorded)" else sheet[f"A{row}"].upper()
        assert sheet[f"B{row}"] == sum(c.source == name for c in business.contacts.values())
