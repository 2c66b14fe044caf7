"""A business of which not every number is known exactly: how likely it is that more leads pay, and what to find out.

Every uncertain input is drawn many times, the whole bucket is run for each draw, and the answers are read off their
distribution. Inputs are drawn independently of each other, but for draws of one fitted model.

How much an input matters is the share of the variance that would go, on average, if it alone were known exactly
(Sobol's first-order index). It is read off the same draws: sorted by that input, neighbours share its value and nothing
else, so the covariance of neighbours is the variance that it explains (Gamboa, Gremaud, Klein and Lagnoux 2022). Profit
is taken by its normal scores, so that a few draws with a tiny churn do not decide the answer: the shares are those of
profit where it is normal, and those of its logarithm where that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from numbers import Integral
from statistics import NormalDist
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from holdwater.bucket.labels import label_of
from holdwater.bucket.model import Bucket
from holdwater.bucket.words import money, name, percent
from holdwater.errors import KindError, NumError
from holdwater.models.drawn_profit import Numbers, Outcome, outcome
from holdwater.models.uncertain_inputs import CURVES, Array, Between, Counted, Drawn, Uncertain

__all__ = ["Between", "Counted", "Drawn", "Driver", "Range", "Simulation", "UncertainBucket"]

_LABELS = tuple(each.name for each in fields(Bucket))
_FEWEST, _MOST = 1_000, 1_000_000
_SORTED = 10_000  # draws that tell which input matters: its share is then right to within two hundredths


class Range(NamedTuple):
    low: float
    middle: float  # the median
    high: float


class Driver(NamedTuple):
    """How much one input matters: shares of 0 to 1, which fall short of 1 together where inputs work through others."""

    label: str
    of_profit: float  # the share of the variance of profit that goes when this input is known
    of_answer: float  # the same for the answer to "does one more lead pay?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What the draws say; money is over the whole horizon and in today's money, but for the prices of a lead."""

    draws: int
    without_value: int  # draws that have no finite profit, and are left out of everything below
    confidence: float  # that a number lies in its range
    horizon: int
    more_leads_pay: float  # the probability that one more lead in every period adds profit
    one_more_lead: Range  # what it adds
    break_even_cpl: Range  # what that lead may cost at most: at this price it adds nothing
    next_lead_cost: Range  # what it costs
    profit: Range
    drivers: tuple[Driver, ...]  # that which matters most for profit comes first
    samples: Mapping[str, Array] = field(repr=False, compare=False)  # the uncertain inputs and the outcome, by draw

    def summary(self) -> list[str]:
        """Sentences that an owner understands."""
        sure = _percent((1 + self.confidence) / 2)
        sentences = [
            f"More leads pay with a probability of {_percent(self.more_leads_pay)}: one more in every period adds"
            f" {_words(self.one_more_lead)} to the profit of {self.horizon:,} periods.",
            f"The next lead may cost {_words(self.break_even_cpl)}; it costs {_words(self.next_lead_cost)}.",
            f"At less than {money(self.break_even_cpl.low)} it pays with a probability of {sure} at least."
            if self.break_even_cpl.low > 0
            else f"No price is low enough to be {sure} sure that it pays.",
            f"Profit is {_words(self.profit)}. Each of these ranges holds with a probability of"
            f" {_percent(self.confidence)}.",
            self._what_matters(),
            self._what_decides(),
        ]
        if self.without_value:
            sentences.append(
                f"{self.without_value:,} of {self.draws:,} draws are left out, because they have no finite profit:"
                " customers never leave and nothing is discounted, or the numbers grow beyond all bounds."
            )
        return sentences

    def _what_matters(self) -> str:
        first, *others = self.drivers
        if first.of_profit < 0.005:
            return "No uncertain input matters for profit on its own."
        then = f"; then {name(others[0].label)} ({_percent(others[0].of_profit)})" if others else ""
        return (
            f"What is not known of {name(first.label)} matters most for profit: {_percent(first.of_profit)} of its"
            f" variance{then}."
        )

    def _what_decides(self) -> str:
        if not 0.01 <= self.more_leads_pay <= 0.99:
            return "Whether more leads pay is clear: nothing that is uncertain here is likely to change it."
        first = max(self.drivers, key=lambda driver: driver.of_answer)
        return (
            f"Whether more leads pay depends most on {name(first.label)} ({_percent(first.of_answer)}): find that out"
            " first."
        )


@dataclass(frozen=True, slots=True, eq=False)
class UncertainBucket:
    """A Bucket of which at least one input is Between, Counted or Drawn."""

    middle: Bucket  # each uncertain input at its middle
    uncertain: Mapping[str, Uncertain]

    @classmethod
    def of(cls, model: Mapping[str, object]) -> UncertainBucket:
        """From labels as in Bucket; a value may be a number, Between, Counted, or an array of draws.

        KindError and NumError as in Bucket, also for what does not suit its label, and where nothing is uncertain.
        """
        if not isinstance(model, Mapping):
            raise KindError("UncertainBucket: model is no mapping; give labels with their values, such as a dict.")
        known: dict[str, object] = {}
        uncertain: dict[str, Uncertain] = {}
        for label, given in model.items():
            value = Drawn(given) if isinstance(given, np.ndarray) and given.ndim else given
            known[label] = value
            if isinstance(value, Uncertain):
                exact = label_of(label, _LABELS, "UncertainBucket: the label")
                if exact not in CURVES:
                    raise KindError(f"UncertainBucket: {exact} is uncertain; give the number of periods to look ahead.")
                value.check(exact)
                known[label], uncertain[exact] = value.middle(exact), value
        middle = Bucket.of(known)
        if not uncertain:
            raise KindError(
                "UncertainBucket: every input is a plain number; give what is uncertain as Between(low, high),"
                " Counted(successes, trials) or an array of draws."
            )
        for label, value in uncertain.items():
            if isinstance(value, Drawn):
                for extreme in (value.values.min(), value.values.max()):
                    Bucket.of(asdict(middle) | {label: extreme})  # which knows what is allowed
        return cls(middle, MappingProxyType(uncertain))

    def simulate(self, draws: int = 100_000, seed: int = 1, confidence: float = 0.9) -> Simulation:
        """Run that many draws. The same seed gives the same answer, and to each label the same luck in any Bucket.

        NumError for a number out of range, and where not one draw has a finite profit.
        """
        _check(draws, seed, confidence)
        labels: dict[str, Numbers] = asdict(self.middle)
        for label, given in self.uncertain.items():
            labels[label] = given.draw(label, draws, _stream(label, given, seed))
        if labels["next_lead_cost"] is None:
            labels["next_lead_cost"] = labels["cost_per_lead"]
        answers = outcome(labels, self.middle.horizon, draws)
        finite = np.logical_and.reduce([np.isfinite(answer) for answer in answers])
        if not finite.any():
            raise NumError(
                "UncertainBucket: not one draw has a finite profit; give a churn or a discount above 0, a run_off of 0,"
                " a shorter horizon or less extreme numbers."
            )
        if not finite.all():
            labels = {
                label: value[finite] if isinstance(value, np.ndarray) else value for label, value in labels.items()
            }
            answers = Outcome(*(answer[finite] for answer in answers))
        drawn = {label: np.asarray(labels[label]) for label in self.uncertain}
        return Simulation(
            draws=draws,
            without_value=draws - len(answers.profit),
            confidence=confidence,
            horizon=self.middle.horizon,
            more_leads_pay=float(np.mean(answers.one_more_lead > 0)),
            one_more_lead=_range(answers.one_more_lead, confidence),
            break_even_cpl=_range(answers.break_even_cpl, confidence),
            next_lead_cost=_range(labels["next_lead_cost"], confidence),
            profit=_range(answers.profit, confidence),
            drivers=_drivers(drawn, answers),
            samples=MappingProxyType(drawn | answers._asdict()),
        )


def _check(draws: int, seed: int, confidence: float) -> None:
    if not (isinstance(draws, Integral) and _FEWEST <= draws <= _MOST):
        raise NumError(f"UncertainBucket: draws is {draws!r}; allowed is a whole number from {_FEWEST:,} to {_MOST:,}.")
    if not (isinstance(seed, Integral) and seed >= 0):
        raise NumError(f"UncertainBucket: seed is {seed!r}; allowed is a whole number of 0 or more.")
    if not (isinstance(confidence, float) and 0.5 <= confidence < 1):
        raise NumError(f"UncertainBucket: confidence is {confidence!r}; allowed is 0.5 to below 1.")


def _stream(label: str, value: Uncertain, seed: int) -> np.random.Generator:
    """Random numbers of this label, or of all draws with as many rows: those belong together."""
    if isinstance(value, Drawn):
        return np.random.default_rng([seed, len(_LABELS), len(value.values)])
    return np.random.default_rng([seed, _LABELS.index(label)])


def _range(values: Numbers, confidence: float) -> Range:
    return Range(*map(float, np.quantile(values, [(1 - confidence) / 2, 0.5, (1 + confidence) / 2])))


def _drivers(inputs: Mapping[str, Array], outcome: Outcome) -> tuple[Driver, ...]:
    pays = outcome.one_more_lead[:_SORTED] > 0
    answers = np.stack([_normal_scores(outcome.profit[:_SORTED]), pays - pays.mean()])
    variances = (answers**2).mean(axis=1)
    drivers = []
    for label, values in inputs.items():
        in_order = answers[:, np.argsort(values[:_SORTED])]
        explained = (in_order * np.roll(in_order, 1, axis=1)).mean(axis=1)
        shares = np.divide(explained, variances, out=np.zeros(2), where=variances > 1e-12)  # or all answers are equal
        drivers.append(Driver(label, *map(float, shares.clip(0, 1))))
    return tuple(sorted(drivers, key=lambda driver: -driver.of_profit))


def _normal_scores(values: Array) -> Array:
    """Where each would lie if they were normal; equal ones share the mean of theirs."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    starts = np.cumsum(counts) - counts
    scores: Array = (np.add.reduceat(_normal(len(values)), starts) / counts)[which]
    return scores


@lru_cache(maxsize=1)
def _normal(size: int) -> Array:
    quantile = NormalDist().inv_cdf
    return np.array([quantile((rank + 0.5) / size) for rank in range(size)])


def _words(amounts: Range) -> str:
    low, middle, high = map(money, amounts)
    return middle if low == high else f"between {low} and {high} (middle {middle})"


def _percent(share: float) -> str:
    return "less than 1 %" if share < 0.005 else "more than 99 %" if share > 0.995 else percent(round(share, 2))
