"""Where a record can be looked at in a browser. Always https; None where there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

_PAGES: Mapping[tuple[str, str], str] = {
    ("hubspot", "leads"): "/record/0-1/{id}",
    ("hubspot", "deals"): "/record/0-3/{id}",
    ("odoo", "leads"): "/odoo/crm/{id}",
    ("odoo", "deals"): "/odoo/crm/{id}",
    ("pipedrive", "leads"): "/person/{id}",
    ("pipedrive", "deals"): "/deal/{id}",
    ("salesforce", "leads"): "/{id}",
    ("salesforce", "deals"): "/{id}",
    ("stripe", "customers"): "/customers/{id}",
}
_SITE = re.compile(r"https://(?P<host>[\w.-]+(?::\d+)?)(?:/[\w-]+)*", re.ASCII)
_THIS_MACHINE = ("localhost", "127.")  # a sandbox, which has no pages


def record_link(connection: str, site: str | None, stream: str, id_: str) -> str | None:
    """`connection` as the store names it (hubspot:1000001), `site` as its connector does, `stream` such as deals."""
    page = _PAGES.get((connection.partition(":")[0], stream))
    found = _SITE.fullmatch(site or "")
    if page is None or found is None or found["host"].startswith(_THIS_MACHINE):
        return None
    if ":" in id_:  # made of the id of something else, such as a company that stands for its people
        return None
    return f"{site}{page.format(id=quote(id_, safe=''))}"
