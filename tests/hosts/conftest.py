"""Excel's stand-in, one for all tests: xlwings is loaded as if on Windows only while they run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def xlpython() -> Iterator[Any]:
    """xlwings' own dispatcher, with our Python half behind it."""
    from excel_stand_in import dispatcher

    with dispatcher() as made:
        yield made
