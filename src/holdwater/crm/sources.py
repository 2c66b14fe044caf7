"""The CRMs and billing systems that Holdwater can read, by the name a person types.

A new one is a function that opens it and an entry. This file needs the standard library only, so that the command line
can name the sources where nothing else is installed: each function imports its connector when it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from holdwater.crm.connector import Connector
from holdwater.crm.credentials import Token

Connect = Callable[[str | None, Token | None], AbstractContextManager[Connector]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`connect` opens it at an address (None: the vendor's own) with a token (None: the environment's or keyring's).

    `where`: where a person makes such a token. `scopes`: the rights it needs and no more; `optional`: those that add
    something, and what they add.
    """

    title: str
    connect: Connect
    where: str
    scopes: tuple[str, ...]
    optional: Mapping[str, str] = field(default_factory=dict)


def _hubspot(url: str | None, token: Token | None) -> AbstractContextManager[Connector]:
    from holdwater.crm import hubspot

    return hubspot.connect(url or hubspot.ADDRESS, token)


def _odoo(url: str | None, token: Token | None) -> AbstractContextManager[Connector]:
    from holdwater.crm import odoo

    return odoo.connect(url, token)


def _pipedrive(url: str | None, token: Token | None) -> AbstractContextManager[Connector]:
    from holdwater.crm import pipedrive

    return pipedrive.connect(url or pipedrive.ADDRESS, token)


def _salesforce(url: str | None, token: Token | None) -> AbstractContextManager[Connector]:
    from holdwater.crm import salesforce

    return salesforce.connect(url, token)


def _stripe(url: str | None, token: Token | None) -> AbstractContextManager[Connector]:
    from holdwater.crm import stripe

    return stripe.connect(url, token)


def _tryton(url: str | None, token: Token | None) -> AbstractContextManager[Connector]:
    from holdwater.crm import tryton

    return tryton.connect(url, token)


SOURCES: Mapping[str, Source] = {
    "hubspot": Source(
        title="HubSpot",
        connect=_hubspot,
        where="Settings > Integrations > Service Keys",
        scopes=("crm.objects.contacts.read", "crm.objects.deals.read", "crm.objects.owners.read"),
        optional={"sales-email-read": "e-mails count as answers to a lead"},
    ),
    "odoo": Source(
        title="Odoo",
        connect=_odoo,
        where="an API key of a user made for this, under Preferences > Account Security",
        scopes=("the group Sales: User: All Documents",),
        optional={"Administration: Settings": "the history of stages is read"},
    ),
    "pipedrive": Source(
        title="Pipedrive",
        connect=_pipedrive,
        where="the API token of a user made for this, under Personal preferences > API",
        scopes=("a user who sees all deals, leads, persons and activities",),
        optional={"Campaigns, the add-on": "consent is read"},
    ),
    "salesforce": Source(
        title="Salesforce",
        connect=_salesforce,
        where="key:secret, the consumer key and secret of an External Client App with the client credentials flow,"
        " under Setup > External Client App Manager",
        scopes=(
            "the OAuth scope api",
            "for the user that the app runs as: API Enabled, and Read and View All Records on Leads, Contacts,"
            " Accounts and Opportunities",
        ),
        optional={"Access Activities": "calls, e-mails and meetings are read"},
    ),
    "stripe": Source(
        title="Stripe",
        connect=_stripe,
        where="a restricted key, under Developers > API keys; with it, --url https://api.stripe.com/acct_...",
        scopes=(
            "Customers: Read",
            "Subscriptions: Read",
            "Invoices: Read",
            "Credit notes: Read",
            "Charges and Refunds: Read",
            "Events: Read",
        ),
    ),
    "tryton": Source(
        title="Tryton",
        connect=_tryton,
        where="login:password of a user made for this, under Administration > Users",
        scopes=("the group Sale Opportunity", "the companies to read"),
    ),
}
