"""The verdict: more leads, fix what first, or fewer leads, with the number that decides it.

How it decides. The worth of a further lead is taken at 1 % more leads, so that it does not depend on whether a period
is a week or a month.
- It is above 0: more leads, unless improving something else by a tenth is worth at least twice a tenth more leads; then
  that comes first. (A fix costs money and effort that the model does not know, more leads are already net of their
  cost; hence twice.)
- It is not, and would not be without any limit either: the lead is too dear for what it brings.
- It is not, but would be without limits: the bottleneck of 1 % more leads is to blame and to be fixed first.
Fixes are what plugs leaks and widens limits. Prices, margins and costs are no fixes here, LEVERS shows them; and a
tenth better is relative for referral_rate too, since points per week and per month are not the same.
Where churn is 1 everybody buys once, and keeping customers is no fix either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from holdwater.bucket.improvement import improved
from holdwater.bucket.lead_curve import LeadCurve
from holdwater.bucket.levers import gain
from holdwater.bucket.limits import LIMITS, constraint_range, limits_reached, shadow_price, tightest
from holdwater.bucket.model import Bucket
from holdwater.bucket.projection import BUCKET, project, worked_leads
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
_TIMES_BETTER = 2  # what a fix must be worth, in the same share of more leads, to come before them


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
        self.step = bucket.leads / 100 or 1.0
        self.curve = LeadCurve(bucket)
        self.worth = shadow_price(bucket, "leads", self.step) / self.annuity
        self.busier = replace(bucket, leads=bucket.leads + self.step)

    def diagnosis(self) -> Diagnosis:
        fixes = self._fixes()
        if self.worth > 0:
            tenth_more = gain(self.bucket, "leads", _BETTER)
            better = bool(fixes) and self.bucket.leads > 0 and fixes[0].value >= _TIMES_BETTER * tenth_more
            return self._fix_first(fixes, tenth_more) if better else self._more_leads(fixes)
        unlimited = replace(self.bucket, lead_capacity=inf, onboarding_capacity=inf, customer_capacity=inf)
        without = shadow_price(unlimited, "leads", self.step) / self.annuity
        return self._too_dear(without, fixes) if without <= 0 else self._limited(fixes)

    def _fixes(self) -> list[Fix]:
        """All that are worth anything, best first."""
        values = {}
        for label in FIXES:
            change = self.bucket.referral_rate if label == "referral_rate" else _BETTER
            sold_once = label == "churn" and self.bucket.churn == 1  # nobody is there who could stay
            if not sold_once and improved(self.bucket, label, change) != self.bucket:
                values[label] = gain(self.bucket, label, change)
        best = sorted((label for label in values if values[label] > 0), key=lambda label: -values[label])
        return [Fix(label, values[label], self.curve.extra_leads(values[label])) for label in best]

    def _safe(self) -> float | None:
        try:
            return self.curve.peak
        except NumError:
            return None

    def _more_leads(self, fixes: list[Fix]) -> Diagnosis:
        safe = self._safe()
        parts = [f"More leads: each further lead earns {_money(self.worth)} after its cost of {_money(self.price)}"]
        if fixes:
            parts.append(f"next best: {_words(fixes[0])}")
        up_to = f" or beyond {_count(safe)} leads a period" if safe is not None else ""
        parts.append(f"more leads stop paying above {_money(self.price + self.worth)} each{up_to}")
        return self._said(MORE, LEADS_PAY, None, fixes[0] if fixes else None, safe, parts)

    def _fix_first(self, fixes: list[Fix], tenth_more: float) -> Diagnosis:
        first, *others = fixes
        parts = [f"Fix {_name(first.label)} first: {_words(first, named=False)}"]
        parts.append(f"each further lead earns {_money(self.worth)}, so leads pay too, but less")
        parts += [f"next best: {_words(others[0])}"] if others else []
        cheap = self.price - (first.value / _TIMES_BETTER - tenth_more) / (_BETTER * self.bucket.leads * self.annuity)
        if cheap > 0:
            parts.append(f"more leads would come first if the next ones cost less than {_money(cheap)}")
        else:
            parts.append("no price of a lead would turn that round")
        return self._said(FIX, FIX_PAYS_BETTER, first, others[0] if others else None, self._safe(), parts)

    def _too_dear(self, without: float, fixes: list[Fix]) -> Diagnosis:
        safe = self._safe()
        best, second, *_ = [*fixes, None, None]
        pays = self.price + without
        why = (
            f"each further lead loses {_money(-without)} even if nothing limited you: it costs {_money(self.price)}"
            f" and brings {_money(pays)}"
        )
        change = f"leads pay below {_money(pays)} each" if pays > 0 else "even a free lead would not pay"
        if best and safe is not None and safe >= self.bucket.leads > 0:  # today's leads are cheaper, and pay
            decision, first, then = FIX, best, second
            parts = [f"Fix {_name(best.label)} first: {why}", f"today's leads pay; {_words(best)}"]
        else:
            decision, first, then = FEWER, None, best
            parts = [f"Fewer leads: {why}"]
        parts += [f"next best: {_words(then)}"] if then else []
        return self._said(decision, TOO_DEAR, first, then, safe, [*parts, change], without)

    def _limited(self, fixes: list[Fix]) -> Diagnosis:
        safe = self._safe()
        limit = tightest(self.busier, limits_reached(self.busier))
        reason, because = self._blame(limit)
        first = next((fix for fix in fixes if fix.label == limit), fixes[0] if fixes else None)
        then = next((fix for fix in fixes if fix is not first), None)
        start = f"Fix {_name(first.label)} first" if first else "Fewer leads"
        parts = [f"{start}: each further lead loses {_money(-self.worth)} because {because}"]
        if first and first.label == limit:
            more = shadow_price(self.bucket, limit, getattr(self.bucket, limit) / 100 or 1.0)
            until = constraint_range(self.bucket, limit)[1]
            holds = f", until there are {_count(until)}" if until > getattr(self.bucket, limit) * 1.01 else ""
            parts.append(f"one more of {_name(limit)} is worth {_money(more)} over the horizon{holds}")
        elif first:
            parts.append(_words(first))
        parts += [f"next best: {_words(then)}"] if then else []
        if safe is not None:
            parts.append(f"as things are, profit peaks at {_count(safe)} leads a period")
        return self._said(FIX if first else FEWER, reason, first, then, safe, parts)

    def _blame(self, limit: str) -> tuple[str, str]:
        bucket = self.bucket
        periods = list(project(self.busier))
        if limit == "lead_capacity":
            arrive = bucket.leads * (1 - bucket.burn)
            return BURNED, f"sales can work only {_count(worked_leads(bucket, inf))} of {_count(arrive)} leads a period"
        if limit == "onboarding_capacity":
            since = next((p.period + 1 for p in periods if p.turned_away > 0), bucket.horizon)
            return TURNED_AWAY, f"onboarding is full and customers are turned away from period {since} on"
        busy = bucket.customer_capacity * (bucket.overload_threshold if bucket.overload_slope else 1)
        since = next((p.period + 1 for p in periods if p.customers >= busy), bucket.horizon + 1)
        if not bucket.overload_slope:
            return FULL, f"delivery is full from period {since} on"
        worst = max((p.lost / p.customers for p in periods if p.customers), default=bucket.churn)
        rises = f"raises churn from {bucket.churn:.1%} to as much as {worst:.1%}"
        return OVERLOADED, f"delivery is overloaded from period {since} on, which {rises}"

    def _said(
        self, decision: str, reason: str, first: Fix | None, then: Fix | None, safe: float | None, parts: list[str],
        worth: float | None = None,
    ) -> Diagnosis:  # fmt: skip
        worth = self.worth if worth is None else worth
        return Diagnosis(decision, reason, worth, first, then, safe, "; ".join(parts) + ".")


def _words(fix: Fix, *, named: bool = True) -> str:
    """What a fix is worth: "a tenth better churn is worth 21,333.33, as good as 13.7 more leads a period"."""
    what = f"a tenth better {_name(fix.label)}" if named else "a tenth better, it"
    as_good = "more than any number of further leads" if fix.leads is None else (
        f"as good as {_count(fix.leads)} more leads a period")  # fmt: skip
    return f"{what} is worth {_money(fix.value)}, {as_good}"


def _name(label: str) -> str:
    return label.replace("_", " ")


def _money(amount: float) -> str:
    return f"{amount:,.2f}" if abs(amount) >= 0.1 or amount == 0 else f"{amount:.2g}"


def _count(number: float) -> str:
    if number == inf:
        return "any number"
    return f"{number:,.0f}" if number >= 100 or abs(number - round(number)) < 0.05 else f"{number:,.1f}"


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
        'More leads: each further lead earns 65.00 after its cost of 15.00'

        With time to call 80 of them it is another matter:

        >>> holdwater.verdict(gym | {"lead capacity": 80}).split(" because ")[1].split(";")[0]
        'sales can work only 80 of 100 leads a period'
    """
    return diagnose(model).sentence
