"""The best order of up to ten projects: a search over sets of projects that forgets only what cannot win.

Projects follow each other without a gap, so the set that is done fixes the time, the labels from then on and the sum of
costs; only the discounted money so far and the customers depend on the order. For each set the search keeps these two
for every order that may still turn out best, and extends them project by project.

More customers are not always better: where overload drives them away, fewer now may be more next period. So a state is
not forgotten because another one has more money and more customers. These two rules hold whatever overload does:

1. Too little left to win. The range of customers at which a set can be reached, in any order, leads to a range in each
   later period (`Steps`), and the highest of each gives a sum that no customers of that range exceed: `most`, over all
   continuations. A state whose money + most is below the profit of an order already found cannot win.

2. Beaten by a state of the same set. Let V(N) be the most that can still be made of N customers: the largest of
   finitely many continuations, each a sum over periods of weight x min(N_t, capacity) less costs that do not depend on
   N, with N_{t+1} = f(N_t), f(N) = N (1 - c(N)) + min(unreferred + referral N, onboarding). Within the range of
   customers that a period can begin with, f is continuous and its slope lies between -flip and keep. So, if one more
   customer next period adds between -harm and worth, one more now adds at most weight + max(keep worth, flip harm) and
   at least -max(keep harm, flip worth); weight is 0 where the whole range is above the capacity. Going back from the
   closing value this bounds each continuation, and the largest bounds hold for V, since a maximum of functions is
   nowhere steeper than the steepest of them. Hence the state with money m and M customers is at least as good as that
   with n and N, m + V(M) >= n + V(N), if m - n >= worth (N - M) where N is larger, or m - n >= harm (M - N) where M
   is. Without overload harm is 0, and this is the rule of non-dominated pairs, or sharper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import fsum, inf, isfinite
from typing import NamedTuple

from holdwater.bucket.model import Bucket
from holdwater.bucket.projects import Project
from holdwater.bucket.stages import Calendar, Stage
from holdwater.errors import NumError

_ROUNDING = 1e-12  # of the money: by so much orders may differ without a meaning


class State(NamedTuple):
    money: float  # discounted, less the costs of the projects up to the horizon
    customers: float
    order: tuple[int, ...]


@dataclass(slots=True)
class Done:
    """A set of projects that can be done, and what is known of it."""

    bucket: Bucket
    stage: Stage
    time: int  # when the last of them ends
    following: list[tuple[Project, int, int]] = field(default_factory=list)  # what may come next, the set with it
    low: float = inf  # customers at that time, in any order
    high: float = -inf
    most: float = -inf  # that can still be earned
    worth: float = 0.0  # at most, that one more customer adds
    harm: float = 0.0  # at most, that one more customer takes away
    states: list[State] = field(default_factory=list)

    def extended(self, state: State, project: Project, position: int) -> State:
        earned, customers = self.stage.run(self.time, self.time + project.periods, state.customers)
        cost = self.stage.calendar.cost(project, self.time)
        return State(state.money + earned - cost, customers, (*state.order, position))

    def profit(self, state: State) -> float:
        """If one stopped here."""
        return state.money + self.stage.to_the_end(self.time, state.customers)


def best_order(bucket: Bucket, projects: Sequence[Project], budget: float | None = None) -> tuple[int, ...]:
    """The positions of the projects worth doing, in the order that brings the highest profit less costs.

    Of orders equal but for rounding, one with the fewest projects, as they are listed.
    """
    sets = _sets_that_can_be_done(bucket, projects, inf if budget is None else budget)
    _bound_what_is_left(sets, bucket.customers)
    nothing = State(0.0, bucket.customers, ())
    sets[0].states = [nothing]
    enough = _greedy_profit(sets, nothing)
    best, best_profit = nothing, sets[0].profit(nothing)
    for done in sets.values():  # the smaller ones come first
        enough = max(enough, best_profit)
        for state in _still_able_to_win(done, enough - _ROUNDING * abs(enough)):
            profit = done.profit(state)
            if profit > best_profit + _ROUNDING * abs(best_profit):
                best, best_profit = state, profit
            for project, position, bigger in done.following:
                sets[bigger].states.append(done.extended(state, project, position))
    return best.order


def _sets_that_can_be_done(bucket: Bucket, projects: Sequence[Project], budget: float) -> dict[int, Done]:
    """Every set that its needs, the horizon and the budget allow, the smaller ones first; bit i is project i."""
    calendar = Calendar(bucket.discount, bucket.horizon)
    bits = {project.name: 1 << position for position, project in enumerate(projects)}
    needed = [sum(bits[name] for name in set(project.needs)) for project in projects]
    sets = {0: Done(bucket, Stage(bucket, bucket.leads, calendar), 0)}
    queue = [0]
    for members in queue:  # grows while it is read
        done = sets[members]
        for position, project in enumerate(projects):
            bigger, time = members | 1 << position, done.time + project.periods
            if bigger == members or needed[position] & ~members or time > calendar.horizon:
                continue
            if bigger not in sets:
                cost = fsum(p.cost for i, p in enumerate(projects) if bigger >> i & 1)
                if cost > budget * (1 + _ROUNDING):
                    continue
                better = project.done(done.bucket)
                sets[bigger] = Done(better, Stage(better, bucket.leads, calendar), time)
                queue.append(bigger)
            done.following.append((project, position, bigger))
    return sets


class Steps:
    """What can happen from one time to the horizon while the labels stay, from a range of customers."""

    def __init__(self, stage: Stage, start: int, low: float, high: float) -> None:
        self.start = start
        self.lows, self.highs = [low], [high]
        self.slopes: list[tuple[float, float, float]] = []  # weight, keep and flip of each period
        capacity, onboarding, referral, calm = stage.capacity, stage.onboarding, stage.referral, 1 - stage.churn
        overload = _Overload(stage) if stage.slope else None
        earned, total = [0.0], 0.0
        for weight, today in zip(stage.weights[start:-1], stage.calendar.discounted[start:], strict=False):
            total += weight * (high if high < capacity else capacity) - stage.spent * today
            earned.append(total)
            if high <= stage.busy or overload is None:
                keep, flip, fewest, most = calm, 0.0, low * calm, high * calm
            else:
                keep, flip, fewest, most = overload.of(low, high)
            at_low, at_high = stage.unreferred + referral * low, stage.unreferred + referral * high
            if at_low < onboarding:
                keep += referral
            self.slopes.append((weight if low < capacity else 0.0, keep, flip))
            low = fewest + (at_low if at_low < onboarding else onboarding)
            high = most + (at_high if at_high < onboarding else onboarding)
            self.lows.append(low)
            self.highs.append(high)
        self.earned = earned  # at most, before each period
        self.closing = stage.closing(high)
        self.closing_weight = stage.closing_weight if low < capacity else 0.0

    def back(self, end: int, worth: float, harm: float) -> tuple[float, float]:
        """The worth and harm of one more customer at the start, given those at the end; infinite if past all bounds."""
        for weight, keep, flip in reversed(self.slopes[: end - self.start]):
            if flip:
                worth, harm = weight + max(keep * worth, flip * harm), max(keep * harm, flip * worth)
            else:
                worth, harm = weight + keep * worth, keep * harm
        return (worth, harm) if isfinite(worth + harm) else (inf, inf)


class _Overload:
    """Those who stay, N (1 - c(N)): a straight line while it is not busy, then a parabola, then nobody.

    The slope of the line is 1 - churn; that of the parabola begins no higher and falls steadily, through 0 at its peak,
    if that lies in overload.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.calm = 1 - stage.churn
        self.first = self.calm + stage.slope * stage.threshold  # the parabola is N (first - bend N / 2)
        self.bend = 2 * stage.slope / stage.capacity
        self.full = stage.capacity * (stage.threshold + self.calm / stage.slope)
        self.peak = max(stage.busy, self.first / self.bend) if self.bend else inf

    def of(self, low: float, high: float) -> tuple[float, float, float, float]:
        """How steeply they rise and fall at most between low and high, the fewest of them and the most."""
        keep, flip = self.calm, 0.0
        if low >= self.full:
            keep = 0.0
        else:
            flip = max(0.0, self.bend * min(high, self.full) - self.first)
            if low > self.stage.busy:
                keep = max(0.0, self.first - self.bend * low)
        at_low, at_high = self._staying(low), self._staying(high)
        most = self._staying(self.peak) if low < self.peak < high else max(at_low, at_high)
        return keep, flip, min(at_low, at_high), most

    def _staying(self, customers: float) -> float:
        if customers <= self.stage.busy:
            return customers * self.calm
        overload = customers / self.stage.capacity - self.stage.threshold
        return customers * max(0.0, self.calm - self.stage.slope * overload)


def _bound_what_is_left(sets: dict[int, Done], customers: float) -> None:
    """Finds `most`, `worth` and `harm` of each set."""
    sets[0].low = sets[0].high = customers
    paths = []
    for done in sets.values():
        steps = Steps(done.stage, done.time, done.low, done.high)
        paths.append(steps)
        if not isfinite(steps.earned[-1] + steps.closing + steps.highs[-1]):
            raise NumError("FIX_SEQUENCE: the numbers grow beyond all bounds; use a shorter horizon.")
        for project, _, bigger in done.following:
            after = sets[bigger]
            after.low = min(after.low, steps.lows[project.periods])
            after.high = max(after.high, steps.highs[project.periods])
    for done, steps in zip(reversed(sets.values()), reversed(paths), strict=True):
        calendar = done.stage.calendar
        done.most = steps.earned[-1] + steps.closing
        done.worth, done.harm = steps.back(calendar.horizon, steps.closing_weight, 0.0)
        for project, _, bigger in done.following:
            after = sets[bigger]
            left = steps.earned[project.periods] - calendar.cost(project, done.time) + after.most
            worth, harm = steps.back(after.time, after.worth, after.harm)
            done.most = max(done.most, left)
            done.worth, done.harm = max(done.worth, worth), max(done.harm, harm)


def _greedy_profit(sets: dict[int, Done], nothing: State) -> float:
    """The profit of an order that is good rather than best: each time the project after which one would have most."""
    done, state = sets[0], nothing
    highest = done.profit(state)
    while done.following:
        choices = [(sets[bigger], done.extended(state, p, i)) for p, i, bigger in done.following]
        done, state = max(choices, key=lambda choice: choice[0].profit(choice[1]))
        highest = max(highest, done.profit(state))
    return highest


def _still_able_to_win(done: Done, enough: float) -> list[State]:
    """The states of this set that neither rule excludes; of equal ones the first by the order of the list."""
    kept: list[State] = []
    hopeful = [state for state in done.states if state.money + done.most >= enough]
    for state in sorted(hopeful, key=lambda state: (-state.money, state.order)):  # none is beaten by a poorer one
        customers, money = state.customers, state.money - _ROUNDING * abs(state.money)
        for richer, other, _ in kept:
            gap = customers - other
            owed = done.worth * gap if gap > 0 else done.harm * -gap if gap else 0.0
            if richer - money >= owed:
                break
        else:
            kept.append(state)
    done.states = []
    return kept
