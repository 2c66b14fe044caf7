"""What the pictures show is what the model and the data say; whether they are drawn at all."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from matplotlib.axes import Axes

from holdwater.models import bg_nbd, rfm
from holdwater.models.purchase_plots import alive_matrix, repeat_purchases, weekly_repeats

DAYS = np.array([45_000, 45_003, 45_010, 45_029, 45_001, 45_008, 45_020])
PURCHASES = rfm.purchase_days(["Ash", "Ash", "Ash", "Ash", "Birk", "Birk", "Cole"], DAYS)


@pytest.mark.parametrize("unit", [1, 7])
def test_weeks_by_hand(unit: float) -> None:
    fit = bg_nbd.fit(*PURCHASES.summary(unit=unit).histories)
    seen, expected = weekly_repeats(fit, PURCHASES, unit)
    assert seen.tolist() == [1, 2, 0, 0], "the fifth week has only two days so far"
    ends = 7 * np.arange(5) - 1
    by_hand = [sum(float(fit.purchases((end - day) / unit)) for day in (0, 1, 20) if end > day) for end in ends]
    assert expected == pytest.approx(np.diff(by_hand), rel=1e-9)


def written(axes: Axes) -> bytes:
    figure = axes.get_figure(root=True)
    assert figure is not None
    file = BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def test_both_pictures_are_drawn() -> None:
    fit = bg_nbd.fit(*PURCHASES.summary(unit=7).histories)
    for cumulative in (False, True):
        axes = repeat_purchases(fit, PURCHASES, 7, cumulative=cumulative, fitted_until=3)
        line, points, _ = axes.lines
        assert np.size(line.get_ydata()) == np.size(points.get_ydata()) == 4
        assert written(axes).startswith(b"\x89PNG")
    chances = alive_matrix(fit, age=4, most=5)
    image = chances.images[0].get_array()
    assert image is not None
    assert image[-1, 2] == pytest.approx(float(fit.alive(3, 4, 4)))
    assert written(chances).startswith(b"\x89PNG")
