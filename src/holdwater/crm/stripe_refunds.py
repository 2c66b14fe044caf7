"""What was paid back, by the payment it was paid with.

An invoice itself tells only what was credited. Refunds are few beside payments, so every sync reads all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime

from holdwater.crm.connector import Issue
from holdwater.crm.stripe_api import Api
from holdwater.crm.stripe_wire import WireCreditNote, WirePayment, WireRefund, id_of, name_of, read
from holdwater.errors import BadAnswerError

_FAILED = ("failed", "canceled")


class Refunds:
    """All refunds of the account, less what a credit note on the invoice tells of already.

    A payment is known by its payment intent, and one from before there were any by its charge.
    `issues`: the refunds and credit notes that cannot be read.
    """

    def __init__(self, api: Api) -> None:
        self.issues: list[Issue] = []
        self._refunds: list[WireRefund] = []
        self._unclear: set[object] = set()  # payments of which an unknown amount was paid back
        for rows in api.refunds():
            for row in rows:
                self._take(row)
        self._paid_back: Counter[str | None] = Counter()
        credited = self._credited(api)
        for refund in self._refunds:
            if refund.status not in _FAILED:
                payment = refund.payment_intent or refund.charge
                self._paid_back[payment] += max(0, refund.amount - credited[refund.id])

    def of(self, payments: Iterable[WirePayment]) -> int:
        """What was paid back of these payments, in Stripe's unit; BadAnswerError if that is not clear."""
        keys = {one.payment.payment_intent or one.payment.charge for one in payments} - {None}
        if keys & self._unclear:
            raise BadAnswerError("A refund of it cannot be read; update Holdwater if it looks right in Stripe.")
        return sum(self._paid_back[key] for key in keys)

    def payment_intents(self, since: datetime, changed: Collection[str]) -> set[str | None]:
        """Of the refunds made since then, and of the changed ones by their own id or their charge's; None: has none."""
        return {
            refund.payment_intent
            for refund in self._refunds
            if refund.created >= since or refund.id in changed or refund.charge in changed
        }

    def _take(self, row: object) -> None:
        try:
            self._refunds.append(read(WireRefund, row, f"Stripe refund {name_of(row)}"))
        except BadAnswerError as problem:
            self.issues.append(Issue(name_of(row) or f"refunds no. {len(self._refunds)}", str(problem)))
            if isinstance(row, dict):
                self._unclear |= {id_of(row.get("payment_intent")), id_of(row.get("charge"))} - {None}

    def _credited(self, api: Api) -> Counter[str]:
        """How much of each refund belongs to a credit note."""
        credited: Counter[str] = Counter()
        for rows in api.credit_notes():
            for place, row in enumerate(rows, 1):
                name = name_of(row)
                try:
                    note = read(WireCreditNote, row, f"Stripe credit note {name}")
                except BadAnswerError as problem:
                    self.issues.append(Issue(name or f"credit notes no. {place}", str(problem)))
                    continue
                if note.status == "issued":
                    for one in note.refunds:
                        if one.refund is not None:
                            credited[one.refund] += one.amount_refunded
        return credited
