"""What the pictures hold: the counts, the curve, and the band around it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure

import holdwater
from holdwater.errors import MissingExtraError
from holdwater.models import plots, retention
from holdwater.models.fitted import Estimator
from holdwater.models.renewals import Renewals

REGULAR = Renewals.of_cohorts([[1000, 631, 468, 382, 326, 289, 262, 241]])


def test_retention_curve(tmp_path: Path) -> None:
    fitted = retention.fit(REGULAR)
    axes = plots.retention_curve(fitted)
    curve, counted = axes.get_lines()
    assert np.array_equal(curve.get_ydata(), fitted.curve.survival(14))
    assert np.array_equal(counted.get_xdata(), np.arange(8))
    assert np.array_equal(counted.get_ydata(), REGULAR.shares)
    (band,) = axes.collections
    assert isinstance(band, FillBetweenPolyCollection)
    corners = band.get_paths()[0].vertices
    low, high = fitted.band(14)
    assert {low[14], high[14]} <= set(np.asarray(corners)[:, 1])
    assert isinstance(axes.figure, Figure)
    axes.figure.savefig(tmp_path / "curve.svg")
    assert (tmp_path / "curve.svg").stat().st_size > 5_000


def test_a_shorter_picture_in_axes_of_ones_own() -> None:
    mine = Figure().subplots()
    assert plots.retention_curve(retention.fit(REGULAR), 4, axes=mine) is mine
    assert [len(line.get_xdata()) for line in mine.get_lines()] == [5, 5]  # type: ignore[arg-type]  # lines hold arrays


def test_no_band_where_there_are_no_limits() -> None:
    alike = retention.fit(Renewals.of_cohorts([[1000, 900, 810, 729]]), Estimator.LIKELIHOOD)
    assert len(plots.retention_curve(alike).collections) == 0


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"holdwater\[plots\]"):
        plots.retention_curve(retention.fit(REGULAR))
    assert issubclass(MissingExtraError, holdwater.HoldwaterError)
