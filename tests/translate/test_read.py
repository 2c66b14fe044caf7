"""What cannot be translated is refused by line; what is known beforehand leaves no trace."""

from __future__ import annotations

import math

import pytest

import holdwater
from holdwater.errors import NumError
from holdwater.translate import CannotTranslateError, Ref, expression, lambda_text, plain
from holdwater.twins import is_number


def loops(total: float) -> float:
    for _ in range(3):
        total += 1
    return total


def falls_through(x: float) -> float:  # type: ignore[return]  # noqa: RET503  # the point
    if x > 0:
        return x


def unknown_function(x: float) -> float:
    return math.gamma(x)


def sets_two(x: float) -> float:
    a = b = 0.0
    return a + b + x


@pytest.mark.parametrize(
    ("function", "line", "what"),
    [(loops, 2, "for _"), (falls_through, 1, "returns nothing"), (unknown_function, 1, "math.gamma"),
     (sets_two, 1, "a = b")],
)  # fmt: skip
def test_refusals_name_file_and_line(function: object, line: int, what: str) -> None:
    first = function.__code__.co_firstlineno  # type: ignore[attr-defined]  # a plain function
    with pytest.raises(CannotTranslateError, match=rf"test_read\.py, line {first + 1}: .*{what}"):
        plain(function, {})  # type: ignore[arg-type]  # a plain function


def test_omitted_and_constant_arguments_leave_no_trace() -> None:
    margin, churn = Ref("margin"), Ref("leak")
    assert plain(holdwater.ltv, {"margin": margin, "churn": churn}) == "IF(leak<=0,#NUM!,margin/leak)"
    assert plain(holdwater.allowable_cpl, {"allowable_cac": Ref("A1"), "conversion": Ref("B1")}) == "A1*B1"
    assert plain(holdwater.ltv, {"margin": 30, "churn": 0.04}) == "750"


def test_a_constant_outside_the_domain_is_found_at_once() -> None:
    with pytest.raises(NumError, match="timing is 3"):
        expression(holdwater.ltv, {"margin": Ref("A1"), "churn": Ref("B1"), "timing": 3})


def negative_power(x: float, n: int) -> float:
    return -(x**n)


def nested(x: float) -> float:
    y = x - (1 - x)
    return y / (x / 2) - (3 - y)


def test_signs_and_parentheses_survive() -> None:
    assert plain(negative_power, {"x": Ref("A1"), "n": 2}) == "-(A1^2)"
    assert plain(nested, {"x": Ref("A1")}) == "(A1-(1-A1))/(A1/2)-(3-(A1-(1-A1)))"


def test_no_lambda_and_no_let_in_an_ordinary_expression() -> None:
    text = expression(holdwater.ltv, {a: Ref(a.upper()) for a in ("margin", "churn", "discount", "growth", "periods")})
    assert "LET" not in text
    assert "LAMBDA" not in text
    assert lambda_text(holdwater.ltv).startswith("_xlfn.LAMBDA(_xlpm.margin_,_xlpm.churn_,_xlop.discount_,")


def guarded(x: float) -> float:
    if is_number(x) and x > 3:
        return 1
    return 2


def test_what_a_guard_keeps_out_is_not_looked_at() -> None:
    """AND(ISNUMBER(A1),A1>3) is an error where A1 is one; Python does not look that far."""
    assert plain(guarded, {"x": Ref("A1")}) == "IF(IF(ISNUMBER(A1),A1>3,FALSE),1,2)"
