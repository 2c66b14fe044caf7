"""What every fit gives back: its parameters, how well it fits, and how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from holdwater.errors import KindError, NumError
from holdwater.models.newton import Top

Array = NDArray[np.float64]

DRAWS = 4_000  # the ends of a 90 % interval then move by about 2 % of its width


class Estimator(StrEnum):
    PENALISED = "penalised"  # the default: never without an answer, also for twenty customers
    LIKELIHOOD = "maximum likelihood"


Choice = TypeVar("Choice", bound=StrEnum)


def chosen(model: str, choices: type[Choice], given: str) -> Choice:
    """One of the choices, also from its plain text; KindError names all of them."""
    try:
        return choices(given)
    except ValueError:
        allowed = " or ".join(f'"{choice}"' for choice in choices)
        name = choices.__name__.lower()
        raise KindError(f"{model}: {name} is none that there is; allowed is {allowed}.") from None


def check_confidence(model: str, confidence: object) -> None:
    """NumError or KindError for what is no share between 0 and 1."""
    if not isinstance(confidence, (int, float)):
        raise KindError(f"{model}: confidence is no number; allowed is between 0 and 1.")
    if not 0 < confidence < 1:
        raise NumError(f"{model}: confidence is {confidence:g}; allowed is between 0 and 1.")


def check_size(model: str, size: object) -> None:
    """NumError or KindError for a number of draws that cannot be."""
    if not isinstance(size, (int, np.integer)):
        raise KindError(f"{model}: size is no whole number; allowed is 1 or more draws.")
    if size < 1:
        raise NumError(f"{model}: size is {size}; allowed is 1 or more draws.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """One fitted model. Subclasses name the model and its parameters, and add what it predicts."""

    model: ClassVar[str]
    names: ClassVar[tuple[str, ...]]
    least: ClassVar[tuple[float, ...]] = ()  # what each parameter stays above, where that is not 0
    no_limits: ClassVar[str] = (
        "for some of the plausible parameters this is infinite or no number, so it has no limits; ask for something"
        " that stays finite, or use the penalised estimator."
    )

    parameters: Mapping[str, float]
    log_likelihood: float  # of the data alone, also where a prior took part
    covariance: Array  # of the logarithms of the parameters, each above its least
    converged: bool
    n: float  # customers, or deals: the sum of the weights
    estimator: Estimator

    @classmethod
    def of(cls, top: Top, *, log_likelihood: float, n: float, estimator: Estimator, **more: Any) -> Self:
        return cls(
            parameters=dict(zip(cls.names, map(float, np.exp(top.at) + (cls.least or 0)), strict=True)),
            log_likelihood=log_likelihood,
            covariance=top.covariance,
            converged=top.converged,
            n=n,
            estimator=estimator,
            **more,
        )

    def draws(self, size: int = DRAWS, seed: int = 1) -> Array:
        """Plausible parameters, one row each: Laplace's approximation. NumError where the data leave one open."""
        check_size(self.model, size)
        if not np.isfinite(self.covariance).all():
            raise NumError(
                f"{self.model}: the data leave a parameter open, so there is no interval; use the penalised estimator"
                " or wait for more data."
            )
        least = np.array(self.least or [0.0] * len(self.parameters))
        middle = np.log(np.array(list(self.parameters.values())) - least)
        return least + np.exp(np.random.default_rng(seed).multivariate_normal(middle, self.covariance, size=size))

    def interval(
        self, of: Callable[[Array], Array], confidence: float = 0.9, *, size: int = DRAWS, seed: int = 1
    ) -> tuple[float, float]:
        """Limits of a quantity; `of` takes parameters, one row each, and gives one number a row.

        NumError where the limits are not finite.
        """
        check_confidence(self.model, confidence)
        values = np.asarray(of(self.draws(size, seed)), dtype=float)
        with np.errstate(invalid="ignore"):  # a limit between two infinite draws
            low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
        if not (np.isfinite(low) and np.isfinite(high)):
            raise NumError(f"{self.model}: {self.no_limits}")
        return float(low), float(high)

    def summary(self) -> str:
        """A few lines a person can read."""
        lines = [f"{self.model}, {self.n:,.15g} observed, {self.estimator}"]
        spread = np.sqrt(np.diag(self.covariance))
        least = self.least or [0.0] * len(self.parameters)
        for (name, value), above, error in zip(self.parameters.items(), least, spread, strict=True):
            low, high = (above + (value - above) * np.exp(side * error) for side in (-1.645, 1.645))
            limits = f"   90 % between {low:.3g} and {high:.3g}" if np.isfinite(error) else ""
            lines.append(f"  {name:<8} {value:>12.5g}{limits}")
        lines.append(f"  log-likelihood {self.log_likelihood:,.4f}")
        if not self.converged:
            lines.append("  The search did not reach a top: do not use these numbers.")
        return "\n".join(lines)
