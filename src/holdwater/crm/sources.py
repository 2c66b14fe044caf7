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
    "tryton": Source(
        title="Tryton",
        connect=_tryton,
        where="login:password of a user made for this, under Administration > Users",
        scopes=("the group Sale Opportunity", "the companies to read"),
    ),
}
