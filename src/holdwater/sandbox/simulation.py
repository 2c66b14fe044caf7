"""Lets a business live through some months: leads arrive, wait, are won or lost; customers refer others and leave."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from holdwater.errors import NumError
from holdwater.sandbox.business import MONTH, Business
from holdwater.sandbox.truth import DEFAULT, REFERRALS, Source, Truth

NOW = datetime(2026, 10, 31, 12, tzinfo=UTC)

_WAIT_SHAPE = 2.0  # of the gamma distribution of waits: some are won within days, a few take months
_LONGEST = 1200  # months anybody stays a customer: a century
_NEVER_ANSWERED, _WRITE_BACK, _HOURS_TO_ANSWER = 0.1, 0.4, 5.0
_REASONS = ("Too expensive", "No reply", "Chose a competitor", "Not now", None)
_DEALS_OF_LOST_LEADS = 0.6  # share of the leads never won that get as far as a deal


def simulate(truth: Truth = DEFAULT, *, seed: int = 1, months: int = 24, now: datetime = NOW) -> Business:
    """The business after `months` calendar months, the one of `now` being the last; the same for the same arguments.

    What would happen after `now` has not happened: such deals are open. NumError for less than one month.
    """
    if months < 1:
        raise NumError(f"A simulated business needs at least 1 month; {months} is too few.")
    last = now.year * 12 + now.month - 1
    year, month = divmod(last - (months - 1), 12)
    business = Business(truth, datetime(year, month + 1, 1, tzinfo=UTC))
    return _Simulation(business, seed).run_until(now)


class _Simulation:
    """Runs what is due in the order of its moments; what is due may schedule more."""

    def __init__(self, business: Business, seed: int) -> None:
        self.business, self.truth = business, business.truth
        self.chance = random.Random(seed)  # noqa: S311 - a simulation needs no secrecy
        self.law = random.Random(f"law {seed}")  # noqa: S311
        self.talk = random.Random(f"talk {seed}")  # noqa: S311 - calls and reasons do not change who buys
        self._due: list[tuple[datetime, int, Callable[[datetime], object]]] = []
        self._turn = count()  # equal moments keep their order
        for source in self.truth.sources:
            self._await_arrival(source, business.start)

    def run_until(self, now: datetime) -> Business:
        while self._due and self._due[0][0] <= now:
            at, _, happen = heapq.heappop(self._due)
            happen(at)
        self.business.wait_until(now)
        return self.business

    def _schedule(self, at: datetime, happen: Callable[[datetime], object]) -> None:
        heapq.heappush(self._due, (at, next(self._turn), happen))

    def _after(self, at: datetime, per_month: float) -> datetime:
        """When the next event of a Poisson process comes."""
        return at + self.chance.expovariate(per_month) * MONTH

    def _await_arrival(self, source: Source, since: datetime) -> None:
        def arrive(at: datetime) -> None:
            self._arrive(source, at)
            self._await_arrival(source, at)

        if source.leads_per_month:
            self._schedule(self._after(since, source.leads_per_month), arrive)

    def _arrive(self, source: Source, at: datetime) -> None:
        contact = self.business.add_contact(
            source=source.name,
            at=at,
            opted_out=self.chance.choices((None, False, True), (6, 3, 1))[0],
            legal_basis=self.law.choice((None, "consent", "legitimate_interest")),
        )
        self._answer(contact.id, at)
        wins = self.chance.random() < source.conversion
        wait = timedelta(days=self.chance.gammavariate(_WAIT_SHAPE, source.days_to_win / _WAIT_SHAPE))
        if not wins and self.chance.random() >= _DEALS_OF_LOST_LEADS:
            return
        opened = at + wait * self.chance.uniform(0.1, 0.4)
        proposed = at + wait * self.chance.uniform(0.5, 0.9)
        closed = at + wait
        # A year of the subscription, more or less.
        amount = 12 * self.truth.revenue_per_customer * Decimal(self.chance.randint(80, 120)) / 100

        def open_deal(at: datetime) -> None:
            expected = at + timedelta(days=source.days_to_win)
            deal = self.business.open_deal(contact.id, amount=amount, expected_close=expected, at=at)
            self._schedule(proposed, lambda at: self.business.move(deal.id, "contractsent", at))
            self._schedule(closed, lambda at: self._win(deal.id, at) if wins else self._lose(deal.id, at))

        self._schedule(opened, open_deal)

    def _answer(self, contact_id: str, at: datetime) -> None:
        """Most leads are answered within hours, some never; some of those answered write back."""
        if self.talk.random() < _NEVER_ANSWERED:
            return
        call = at + timedelta(hours=self.talk.expovariate(1 / _HOURS_TO_ANSWER))
        self._schedule(call, lambda at: self.business.note_activity(contact_id, "call", "out", at))
        if self.talk.random() < _WRITE_BACK:
            reply = call + timedelta(hours=self.talk.expovariate(1 / _HOURS_TO_ANSWER))
            self._schedule(reply, lambda at: self.business.note_activity(contact_id, "email", "in", at))

    def _lose(self, deal_id: str, at: datetime) -> None:
        self.business.lose(deal_id, at, reason=self.talk.choice(_REASONS))

    def _win(self, deal_id: str, at: datetime) -> None:
        customer = self.business.win(deal_id, at)
        end = at + self._months_as_customer() * MONTH
        self._schedule(end, lambda at: self.business.end_customer(customer.id, at))
        self._await_referral(at, end)

    def _await_referral(self, since: datetime, end: datetime) -> None:
        def refer(at: datetime) -> None:
            self._arrive(self.truth.source(REFERRALS), at)
            self._await_referral(at, end)

        if self.truth.referred_leads_per_customer:
            at = self._after(since, self.truth.referred_leads_per_customer)
            if at < end:
                self._schedule(at, refer)

    def _months_as_customer(self) -> int:
        """Paid months until the customer leaves, the last included; each month the same share of customers leaves."""
        churn = self.truth.churn
        if churn == 1:
            return 1
        stays = math.log1p(-self.chance.random()) / math.log1p(-churn) if churn else math.inf
        return 1 + int(min(stays, _LONGEST))
