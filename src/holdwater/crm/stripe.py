"""The Stripe connector: subscriptions, the customers they make, and invoices.

Customers are made of their subscriptions, each of which comes with its customer: Stripe's own list of customers has
people who never paid, and not those who were deleted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property

import httpx

from holdwater.crm import credentials, persons
from holdwater.crm.client import Client
from holdwater.crm.connector import Gone, Identities, Page
from holdwater.crm.credentials import Token
from holdwater.crm.manners import Manners
from holdwater.crm.over_http import OverHttp
from holdwater.crm.pacing import Pacing
from holdwater.crm.part import FAST_CLOCK
from holdwater.crm.stripe_api import Api
from holdwater.crm.stripe_changes import KEPT, changed_customers, changed_invoices
from holdwater.crm.stripe_reading import Accounts, Invoices
from holdwater.crm.stripe_refunds import Refunds
from holdwater.crm.stripe_wire import VERSION
from holdwater.errors import SetupError

ADDRESS = "https://api.stripe.com"
MANNERS = Manners(headers={"Stripe-Version": VERSION})


def connect(
    address: str | None = None, token: Token | None = None, *, transport: httpx.BaseTransport | None = None
) -> Stripe:
    """A connector to https://api.stripe.com, or to https://api.stripe.com/acct_... with the account's id; `token` is
    a restricted key."""
    found = re.fullmatch(r"([a-z]+://[^/?#]+)(?:/(acct_[A-Za-z0-9]+)?)?", address or ADDRESS)
    if not found:
        raise SetupError(f"Stripe's address is {ADDRESS}, or {ADDRESS}/acct_... with the id of the account.")
    token = token or credentials.token("stripe")
    pacing = Pacing(requests=25, seconds=1)  # of one list; Stripe's own test mode allows no more altogether
    client = Client(found[1], token, manners=MANNERS, pacing=pacing, transport=transport)
    test = token.reveal().startswith(("sk_test_", "rk_test_"))
    return Stripe(client, found[2], test=test, person=persons.person_key if persons.recognised() else None)


class Stripe(OverHttp):
    """Reads subscriptions, customers and invoices; `client` counts what that cost.

    `account` is the account's id, which Stripe tells only a full key; `test`: its test mode, whose objects are others.
    `person` makes of an e-mail address what the store may keep of it.
    `overlap` is read again before each watermark.
    """

    def __init__(
        self,
        client: Client,
        account: str | None = None,
        *,
        test: bool = False,
        person: Callable[[str | None], str | None] | None = None,
        overlap: timedelta = timedelta(hours=1),
        at_once: int = 100,
    ) -> None:
        super().__init__(client)
        self._api = Api(client, at_once=at_once)
        self._given = account
        self._test = test
        self._person = person
        self._overlap = overlap

    @property
    def connection(self) -> str:
        """The account, and whether it is its test mode."""
        return f"stripe:{self._account}{'/test' if self._test else ''}"

    @property
    def site(self) -> str:
        return f"https://dashboard.stripe.com/{self.connection.removeprefix('stripe:')}"

    @cached_property
    def _account(self) -> str:
        told = self._api.account()
        account = self._given or told
        if account is None:
            raise SetupError(
                "Stripe does not tell a restricted key which account it opens: add the account's id to the address, as"
                f" in --url {ADDRESS}/acct_1032D82eZvKYlo2C; the address bar of the Dashboard shows it."
            )
        if told is None:
            self._api.server_time()  # a wrong key is found out here, too
        elif told != account:  # under another name everything would be kept, and counted, a second time
            raise SetupError(f"This key opens the Stripe account {told}, not {account}: correct the address.")
        return account

    def pages(self, watermarks: Mapping[str, datetime]) -> Iterator[Page]:
        """Subscriptions, then the customers they make, then invoices; the window ends before the first of them."""
        end = self._api.server_time()
        yield from self._accounts(self._since(watermarks, "subscriptions", "customers", end=end), end)
        yield from self._invoices(self._since(watermarks, "invoices", end=end), end)

    def identities(self) -> Iterator[Identities]:
        """Stripe has no list of ids alone, and no customer is known without the subscriptions: this reads it all."""
        for page in self.pages({}):
            ids = [*(record.id for record in page.records), *(issue.id for issue in page.issues)]
            yield Identities(page.stream, ids, last=page.last)

    def _since(self, watermarks: Mapping[str, datetime], *streams: str, end: datetime) -> datetime | None:
        """From when on changes are asked for; None where all is read, since events do not reach back so far."""
        if not all(stream in watermarks for stream in streams):
            return None
        since = min(end, *(watermarks[stream] for stream in streams)) - self._overlap
        return None if end - since > KEPT else since

    def _accounts(self, since: datetime | None, end: datetime) -> Iterator[Page]:
        accounts = Accounts(end + FAST_CLOCK, self._person)
        changed = None if since is None else changed_customers(self._api, since)
        whole = changed is None
        for customer in [None] if changed is None else changed:
            for rows in self._api.subscriptions(customer):
                yield replace(accounts.subscriptions(rows).page("subscriptions"), whole=whole)
        for part in accounts.customers(whole=whole):
            yield replace(part.page("customers"), whole=whole)
        yield from _last(("subscriptions", "customers"), end, whole=whole and accounts.all_named)

    def _invoices(self, since: datetime | None, end: datetime) -> Iterator[Page]:
        refunds = Refunds(self._api)
        invoices = Invoices(self._api, refunds, end + FAST_CLOCK)
        changed = None if since is None else changed_invoices(self._api, since, refunds)
        whole = changed is None
        yield Page("invoices", [], issues=refunds.issues, whole=whole)
        if changed is not None:
            singly = [self._api.invoice(id_) for id_ in sorted(changed.singly)]
            gone = [Gone(id_, "deleted") for id_ in sorted(changed.deleted)]
            yield replace(invoices.invoices(singly).page("invoices"), gone=gone)
        for rows in self._api.invoices(None if changed is None else changed.start):
            yield replace(invoices.invoices(rows).page("invoices"), whole=whole)
        yield from _last(("invoices",), end, whole=whole and invoices.all_named)


def _last(streams: tuple[str, ...], end: datetime, *, whole: bool) -> Iterator[Page]:
    for stream in streams:
        yield Page(stream, [], end, whole=whole, last=whole)
