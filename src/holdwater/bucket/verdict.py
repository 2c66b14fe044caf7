"""The verdict: more leads, fix what first, or fewer leads, with the number that decides it.

How it decides. The worth of a further lead is taken at 1 % more leads, so that it does not depend on whether a period
is a week or a month.
- It is above 0: more leads, unless improving something else by a tenth is worth at least twice a tenth more leads; then
  that comes first. (A fix costs money and effort that the model does not know, more leads are already net of their
  cost; hence twice.)
- It is not, and would not be without any limit either: the lead is too dear for what it brings.
- It is not, but would be without limits. To blame is sales capacity if the lead is not even worked and more of it would
  bring anything, else the limit without which alone it would pay, the bottleneck if that holds of both, and if of none
  the one without which it loses least. That limit comes first, unless a tenth of something else is worth twice a tenth
  of it; and fewer leads do, if they bring more than twice what the best fix does, and more than the whole limit.
Fixes are what plugs leaks and widens limits. Prices, margins and costs are no fixes here, LEVERS shows them; and a
tenth better is relative for referral_rate too, since points per week and per month are not the same.
Where churn is 1 everybody buys once, and keeping customers is no fix either.

Cents instead of money decide the same. Weeks instead of months, with rates converted, do so unless it is close: who
leaves within a month has paid for all of it, who leaves within a week has not, so at 12 % churn a month a lead brings
5 % less by the week. The decision may turn where a further lead, or one of today's, is within 5 % of its cost of
breaking even, with the limits or without; where the best fix is worth 1.9 to 2.1 times a tenth more leads, or fewer
leads bring 1.9 to 2.1 times the best fix; and where
overload_slope x customers / customer_capacity exceeds 1, so that customers swing by the month who settle by the week.
Of 700 random businesses with up to 12 % churn 56 were such cases, 10 of which turned, and none of the other 644 did.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Any

from holdwater.bucket.improvement import FALLS, improved
from holdwater.bucket.lead_curve import LeadCurve
from holdwater.bucket.levers import gain
from holdwater.bucket.limits import LIMITS, constraint_range, limits_reached, shadow_price, tightest
from holdwater.bucket.model import Bucket
from holdwater.bucket.projection import BUCKET, project
from holdwater.bucket.words import count, money, name, ordinal, percent
from holdwater.errors import NumError
from holdwater.formula import formula
from holdwater.units import Model, Text

MORE, FIX, FEWER = "more leads", "fix", "fewer leads"

LEADS_PAY = "leads pay"
FIX_PAYS_BETTER = "a fix pays better"
BURNED = "sales capacity burns leads"
TURNED_AWAY = "customers are turned away at onboarding"
OVERLOADED = "leads overload delivery and raise churn"
FULL = "delivery is full"
TOO_DEAR = "a lead costs more than it can bring"

FIXES = ("conversion", "fit_share", "churn", "referral_rate", "burn", *LIMITS, "overload_slope", "lead_cost")
_BETTER = 0.1
_TIMES_BETTER = 2  # what a fix must be worth to come before what is at hand
_SAME = 1e-9  # by so much equal gains differ through rounding


@dataclass(frozen=True, slots=True)
class Fix:
    label: str
    value: float  # of a tenth better, over the whole horizon
    leads: float | None  # extra leads per period that would earn as much; None: no number of leads does


@dataclass(frozen=True, slots=True)
class Diagnosis:
    decision: str  # MORE, FIX or FEWER
    reason: str
    lead_worth: float  # what each further lead earns after its cost, in today's money
    first: Fix | None  # what to fix first, where the decision is FIX
    then: Fix | None  # the next best thing to do
    leads_safe: float | None  # where profit peaks; None without a limit
    sentence: str


def diagnose(model: object) -> Diagnosis:
    """What VERDICT says, with its numbers one by one."""
    return _Judge(Bucket.of(model)).diagnosis()


class _Judge:
    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.price = bucket.cost_per_lead if bucket.next_lead_cost is None else bucket.next_lead_cost
        self.annuity = sum((1 + bucket.discount) ** -t for t in range(bucket.horizon))
        self.curve = LeadCurve(bucket)
        self.step = (bucket.leads or (self.curve.full if self.curve.full < inf else 0.0)) / 100 or 1.0
        self.busier = replace(bucket, leads=bucket.leads + self.step)
        self.worth = self._worth(bucket)
        self.fixes = self._fixes()

    def diagnosis(self) -> Diagnosis:
        if self.worth > 0:
            tenth_more = gain(self.bucket, "leads", _BETTER)
            better = bool(self.fixes) and self.bucket.leads > 0
            better = better and self.fixes[0].value >= _TIMES_BETTER * tenth_more
            return self._fix_first(tenth_more) if better else self._more_leads(tenth_more)
        without = self._worth(self._without(LIMITS))
        return self._too_dear(without) if without <= 0 else self._limited()

    def _worth(self, bucket: Bucket) -> float:
        """What each further lead earns; 0 where that is no more than what rounding leaves."""
        added = shadow_price(bucket, "leads", self.step)
        return added / self.annuity if abs(added) * self.step > self.curve.slack else 0.0

    def _without(self, limits: tuple[str, ...]) -> Bucket:
        unlimited: dict[str, Any] = dict.fromkeys(limits, inf)
        return replace(self.bucket, **unlimited)

    def _fixes(self) -> list[Fix]:
        """All that are worth anything, best first; equals in the order of FIXES."""
        values = {}
        for label in FIXES:
            change = self.bucket.referral_rate if label == "referral_rate" else _BETTER
            sold_once = label == "churn" and self.bucket.churn == 1  # nobody is there who could stay
            if not sold_once and improved(self.bucket, label, change) != self.bucket:
                try:
                    values[label] = gain(self.bucket, label, change)
                except NumError:  # so good that it is worth no finite sum, as where nobody leaves any more
                    continue
        fixes = []
        while values and (most := max(values.values())) > 0:
            label = next(label for label, value in values.items() if value >= most * (1 - _SAME))
            fixes.append(Fix(label, values[label], self.curve.extra_leads(values.pop(label))))
        return fixes

    def _safe(self) -> float | None:
        try:
            return self.curve.peak
        except NumError:
            return None

    def _too_many(self) -> tuple[float, float]:
        """Where profit peaks, and how much higher it is there; 0 unless that is at fewer leads."""
        safe, leads = self._safe(), self.bucket.leads
        if safe is None or safe >= leads:
            return leads, 0.0
        return safe, self.curve.profit(safe) - self.curve.profit(leads)

    def _price_where_even(self, fix: Fix, tenth_more: float) -> float:
        """The price of the next leads at which a tenth of the fix is worth just twice a tenth more leads."""
        return self.price + (tenth_more - fix.value / _TIMES_BETTER) / (_BETTER * self.bucket.leads * self.annuity)

    def _more_leads(self, tenth_more: float) -> Diagnosis:
        safe, then = self._safe(), next(iter(self.fixes), None)
        parts = [f"More leads: each further lead earns {money(self.worth)} after its cost of {money(self.price)}"]
        stop = self.price + self.worth
        ends = f"more leads stop paying above {money(stop)} each"
        if then:
            parts.append(f"next best: {self._words(then)}")
            if self.bucket.leads and self.price < (even := self._price_where_even(then, tenth_more)) < stop:
                ends = f"that comes first if the next leads cost more than {money(even)} each, and {ends}"
        if safe is not None:
            ends += f" or beyond {count(safe)} per period, where profit peaks"
        return self._said(MORE, LEADS_PAY, None, then, [*parts, ends])

    def _fix_first(self, tenth_more: float) -> Diagnosis:
        first, then = self.fixes[0], next(iter(self.fixes[1:]), None)
        pays = f"each further lead earns {money(self.worth)} after its cost of {money(self.price)}"
        less = f"is worth only {money(tenth_more)}" if tenth_more > 0 else f"would lose {money(-tenth_more)}"
        parts = [f"Fix {name(first.label)} first: {self._words(first)}", f"{pays}, but a tenth more leads {less}"]
        parts += [f"next best: {self._words(then)}"] if then else []
        even = self._price_where_even(first, tenth_more)
        if even > 0:
            parts.append(f"more leads would come first if the next ones cost less than {money(even)} each")
        else:
            parts.append("even free leads would come second")
        return self._said(FIX, FIX_PAYS_BETTER, first, then, parts)

    def _too_dear(self, without: float) -> Diagnosis:
        safe, leads = self._safe(), self.bucket.leads
        best, second, *_ = [*self.fixes, None, None]
        work = (1 - self.bucket.burn) * self.bucket.lead_cost
        brings = self.price + without + work  # before the work on it
        costs = f"it costs {money(self.price)}" + (f" and the work on it {money(work)}" if work else "")
        why = f"each further lead {_loses(without)} even if nothing limited you: {costs}, and it brings {money(brings)}"
        change = "even a free lead would not pay"
        if brings > work:
            limited = " where nothing limits you" if limits_reached(self.busier) else ""
            change = f"leads pay below {money(brings - work)} each{limited}"
        needed = self.bucket.conversion * (self.price + work) / brings if brings > 0 else inf
        if needed <= 1:
            change += f"{', or' if brings > work else ', but this one would'} with a conversion above {percent(needed)}"
        if best and safe is not None and safe >= leads > 0:  # today's leads are cheaper, and pay
            decision, first, then = FIX, best, second
            parts = [f"Fix {name(best.label)} first: {why}", f"today's leads pay; {self._words(best)}"]
        else:
            decision, first, then = FEWER, None, best
            parts = [f"{'Fewer' if leads else 'No'} leads: {why}"]
            fewer, lost = self._too_many()
            if lost > 0:
                parts.append(f"{_best(fewer)}, {money(lost)} better than {count(leads)}")
        parts += [f"next best: {self._words(then)}"] if then else []
        return self._said(decision, TOO_DEAR, first, then, [*parts, change], without)

    def _limited(self) -> Diagnosis:
        limit = self._culprit()
        reason, because = self._blame(limit)
        first = next((fix for fix in self.fixes if fix.label == limit), None)
        best = next(iter(self.fixes), None)
        if best and (first is None or best.value >= _TIMES_BETTER * first.value):
            first = best
        then = next((fix for fix in self.fixes if fix is not first), None)
        safe, lost = self._too_many()
        if first and lost > max(_TIMES_BETTER * first.value, self._widened(limit)[1]):
            first, then = None, first
        alone = self._worth(self._without((limit,)))
        would = f", and would earn {money(alone)} without that limit" if alone > 0 else ""
        start = f"Fix {name(first.label)} first" if first else "Fewer leads" if safe else "No leads"
        parts = [f"{start}: each further lead {_loses(self.worth)} because {because}{would}"]
        better = [f"{_best(safe)}, {money(lost)} better than {count(self.bucket.leads)}"] if lost > 0 else []
        parts += [] if first else better
        price = self._shadow_price(limit)
        parts += [self._words(first)] if first and (first.label != limit or not price) else []
        parts += [price] if price else []
        parts += [f"next best: {self._words(then)}"] if then else []
        parts += [f"until then {better[0]}"] if first and better else []
        return self._said(FIX if first else FEWER, reason, first, then, parts)

    def _culprit(self) -> str:
        """The limit to blame for what a further lead loses: sales if it is not even worked, else as the module says."""
        reached = [limit for limit in LIMITS if limit in limits_reached(self.busier) + limits_reached(self.bucket)]
        if "lead_capacity" in reached and self._widening_pays("lead_capacity"):
            return "lead_capacity"
        without = {limit: self._worth(self._without((limit,))) for limit in reached}
        least = max(without.values())
        enough = min(0.0, least) - _SAME * (self.price + abs(least))
        return tightest(self.busier, [limit for limit in reached if without[limit] > enough])

    def _widening_pays(self, limit: str) -> bool:
        step = getattr(self.bucket, limit) / 100 or self.step
        return shadow_price(self.bucket, limit, step) * step > self.curve.slack

    def _widened(self, limit: str) -> tuple[float, float]:
        """How far a limit can be raised before others decide, and what that is worth; infinite and 0 without an end."""
        now, until = getattr(self.bucket, limit), constraint_range(self.bucket, limit)[1]
        if until == inf or until <= now:
            return inf, 0.0
        return until, shadow_price(self.bucket, limit, until - now) * (until - now)

    def _shadow_price(self, limit: str) -> str:
        """What one more of a limit is worth, and up to which number of it; empty if nothing."""
        now, (until, whole) = getattr(self.bucket, limit), self._widened(limit)
        step = min(1.0, until - now)
        price = shadow_price(self.bucket, limit, step)
        if price <= 0:
            return ""
        if until == inf:
            return f"one more of {name(limit)} is worth {money(price)} over the horizon"
        raised = f"raising {name(limit)} to {count(until)} is worth {money(whole)} over the horizon"
        if until - now < 1:
            return raised
        steady = whole >= 0.99 * price * (until - now)
        each = "for each one more" if steady else "for the first one more and then less"
        return f"{raised}, {money(price)} {each}"

    def _blame(self, limit: str) -> tuple[str, str]:
        bucket = self.bucket
        periods = list(project(self.busier))
        if limit == "lead_capacity":
            arrive, most = bucket.leads * (1 - bucket.burn), count(bucket.lead_capacity)
            worked = f"only {most} of {count(arrive)}" if arrive > bucket.lead_capacity else f"no more than {most}"
            return BURNED, f"sales can work {worked} leads per period"
        if limit == "onboarding_capacity":
            since = next((p.period for p in periods if p.turned_away > 0), bucket.horizon)
            taken = f"{count(bucket.onboarding_capacity)} customers per period".replace("1 customers", "1 customer")
            return TURNED_AWAY, f"onboarding takes only {taken} and turns others away {_from(since)}"
        busy = bucket.customer_capacity * (bucket.overload_threshold if bucket.overload_slope else 1)
        since = next((p.period for p in periods if p.customers >= busy), bucket.horizon)
        if not bucket.overload_slope:
            return FULL, f"delivery has room for {count(bucket.customer_capacity)} customers and is full {_from(since)}"
        worst = max((p.lost / p.customers for p in periods if p.customers), default=bucket.churn)
        rises = f"raises churn from {percent(bucket.churn)} to as much as {percent(worst)}"
        return OVERLOADED, f"delivery is overloaded {_from(since)}, which {rises}"

    def _words(self, fix: Fix) -> str:
        """What a fix is worth: "a tenth lower churn is worth 21,330, as good as 13.7 more leads per period"."""
        better = "lower" if fix.label in FALLS else "more" if fix.label in LIMITS else "higher"
        what = f"a tenth {better} {name(fix.label)}"
        if fix.label in ("conversion", "fit_share") and getattr(self.bucket, fix.label) * (1 + _BETTER) > 1:
            what = f"a {name(fix.label)} of 100 %"
        as_good = "which no number of further leads would earn" if fix.leads is None else (
            f"as good as {count(fix.leads)} more leads per period")  # fmt: skip
        return f"{what} is worth {money(fix.value)} over the horizon, {as_good}"

    def _said(
        self, decision: str, reason: str, first: Fix | None, then: Fix | None, parts: list[str],
        worth: float | None = None,
    ) -> Diagnosis:  # fmt: skip
        worth = self.worth if worth is None else worth
        return Diagnosis(decision, reason, worth, first, then, self._safe(), "; ".join(parts) + ".")


def _loses(worth: float) -> str:
    return f"loses {money(-worth)}" if worth < 0 else "brings just its cost"


def _best(leads: float) -> str:
    return f"{count(leads)} leads per period are best" if leads else "no leads at all are best"


def _from(period: int) -> str:
    return f"from the {ordinal(period + 1)} period on" if period else "from the start"


@formula(BUCKET, Text, python_only="a loop over the periods, and words")
def verdict(model: Model) -> str:
    """One sentence: more leads, fix what first, or fewer leads; with the number that decides it, the next best thing
    to do and what would change the answer.

    Arguments:
        model: the business as rows of label and value, or a Bucket

    Equation:
        w = what 1 % more leads add to BUCKET_PROFIT, per lead and per unit of sum (1 + discount)^-t. w > 0: more
        leads, or the best fix first if a tenth of it is worth twice a tenth more leads; w <= 0: fewer leads if w would
        stay so without capacities, else the BOTTLENECK first

    Source:
        BUCKET_PROFIT, LEVER_VALUE, CONSTRAINT_VALUE, LEADS_EQUIVALENT and LEADS_SAFE, read together.

    Examples:
        Nothing is in the way of this gym, so leads pay:

        >>> gym = {"leads": 100, "cost per lead": 15, "conversion": 0.1, "revenue per customer": 50,
        ...        "gross margin": 0.8, "churn": 0.05}
        >>> holdwater.verdict(gym).split(";")[0]
        'More leads: each further lead earns 65 after its cost of 15'

        With time to call 80 of them it is another matter:

        >>> holdwater.verdict(gym | {"lead capacity": 80}).split(" because ")[1].split(";")[0]
        'sales can work only 80 of 100 leads per period, and would earn 65 without that limit'
    """
    return diagnose(model).sentence
