"""The comparison of the engines can fail: a fault put into the generated text is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from agreement import disagreements

from holdwater.formula import registry

MUTANTS = [  # formula, in which text, what is replaced, by what
    ("ALLOWABLE_CPL", "plain", "*", "+"),  # a wrong operator
    ("LTV", "lambda", "-_xlpm.growth_v_", "+_xlpm.growth_v_"),
    ("LEAD_CAPACITY", "lambda", "0.80000000000000004", "0.75"),  # a wrong default
    ("ALLOWABLE_CAC", "plain", "IF(B", "IF(9*B"),
    ("LTV", "lambda", "(_xlpm.churn_v_>1)", "(_xlpm.churn_v_>9)"),  # a dropped guard
    ("CPL", "plain", "<=0", "<-9E9"),
    ("CHURN", "lambda", "_xlpm.lost_=_xlpm.lost_+0", "TRUE"),  # text is computed with
    ("PAYBACK", "plain", "LN(1-", "LN(1+"),
    ("CONVERSION", "plain", "PRODUCT", "SUM"),
]


@pytest.mark.repeats
@pytest.mark.parametrize(("name", "where", "old", "new"), MUTANTS)
def test_a_fault_in_the_text_is_found(
    name: str, where: str, old: str, new: str, ironcalc: Callable[..., list[Any]]
) -> None:
    hits = []

    def fault(text: str) -> str:
        hits.append(old in text)
        return text.replace(old, new)

    changes: dict[str, Callable[[str], str]] = {f"change_{where}": fault}
    wrong, _ = disagreements(registry[name], ironcalc, **changes)
    assert any(hits), "the mutant did not change the text"
    assert wrong
