"""The Tryton connector on the double, and what a reading brought."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx
import tryton_double as double
from tryton_double import SECRET, at

from holdwater.crm.client import Client
from holdwater.crm.connector import Gone, Page
from holdwater.crm.credentials import Token
from holdwater.crm.tryton import Tryton
from holdwater.crm.tryton_session import SESSION as MANNERS
from holdwater.crm.tryton_session import Door

ADDRESS = "http://127.0.0.1:8000"
SINCE = at(1, 50)
LATER = dict.fromkeys(("leads", "deals", "stage_events"), SINCE)


def opened(server: double.Tryton, **options: Any) -> Tryton:
    transport = httpx.MockTransport(server)
    door = Door(ADDRESS, "crm", Token(SECRET, "HOLDWATER_TRYTON_TOKEN"), transport=transport)

    def enter() -> Client:
        return Client(ADDRESS, door.session(), manners=MANNERS, renew=door.session, transport=transport)

    return Tryton(door, enter, **{"overlap": timedelta(minutes=10)} | options)


def read(server: double.Tryton, watermarks: Mapping[str, datetime] | None = None, **options: Any) -> list[Page]:
    with opened(server, **options) as tryton:
        return list(tryton.pages(watermarks or {}))


def records(pages: list[Page], stream: str) -> dict[str, Any]:
    return {record.id: record for page in pages if page.stream == stream for record in page.records}


def gone(pages: list[Page], stream: str) -> list[Gone]:
    return [one for page in pages if page.stream == stream for one in page.gone]


def issues(pages: list[Page], stream: str = "deals") -> dict[str, str]:
    return {one.id: one.problem for page in pages if page.stream == stream for one in page.issues}
