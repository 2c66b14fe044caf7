"""Where a record can be looked at in its own CRM. Always https; None where the address is not known for certain."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

_PAGES: Mapping[tuple[str, str], str] = {
    ("hubspot", "leads"): "https://app.hubspot.com/contacts/{account}/record/0-1/{id}",
    ("hubspot", "deals"): "https://app.hubspot.com/contacts/{account}/record/0-3/{id}",
    ("odoo", "deals"): "https://{account}/odoo/crm/{id}",
    ("stripe", "customers"): "https://dashboard.stripe.com/{account}/customers/{id}",
}
_ACCOUNT = re.compile(r"[\w.-]+(?::\d+)?(?:/[\w-]+)?")
_THIS_MACHINE = ("localhost", "127.", "[")  # a sandbox, which has no pages


def record_link(connection: str, stream: str, id_: str) -> str | None:
    """`connection` as the store names it (hubspot:1000001), `stream` such as leads or deals."""
    source, _, account = connection.partition(":")
    page = _PAGES.get((source, stream))
    if page is None or not _ACCOUNT.fullmatch(account) or account.startswith(_THIS_MACHINE):
        return None
    if source == "odoo":
        account = account.partition("/")[0]  # the database, if named, comes with the session
    return page.format(account=account, id=quote(id_, safe=""))
