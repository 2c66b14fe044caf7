"""What the tests of the CRM side share."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import httpx
import keyring
import pytest
from hubspot_portal import SECRET, Portal
from pipedrive_company import SECRET as PIPEDRIVE_TOKEN
from pipedrive_company import Company
from rich.console import Console
from rich.traceback import Traceback
from vault import Vault

from holdwater.crm import persons
from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot
from holdwater.crm.pacing import Pacing
from holdwater.crm.pipedrive import MANNERS, Pipedrive


def _printed(error: BaseException) -> str:
    out = StringIO()
    Console(file=out, width=400).print(
        Traceback.from_exception(
            type(error),
            error,
            error.__traceback__,
            show_locals=True,
            locals_max_length=1000,
            locals_max_string=100_000,
            locals_hide_dunder=False,
            locals_hide_sunder=False,
            max_frames=0,
            suppress=[str(Path(__file__).parent)],  # a test's own variables do hold its secret
        )
    )
    return f"{error}\n{error!r}\n{out.getvalue()}\n{''.join(traceback.format_exception(error))}"


@pytest.fixture
def printed() -> Callable[[BaseException], str]:
    """All that an exception can show: its text, its traceback, the local variables of the frames below the test."""
    return _printed


@pytest.fixture(autouse=True)
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """An empty keyring in the place of whatever this machine has, and no key in the environment."""
    monkeypatch.delenv(persons.VARIABLE, raising=False)
    before = keyring.get_keyring()
    empty = Vault()
    keyring.set_keyring(empty)
    persons.forget()
    yield empty
    keyring.set_keyring(before)
    persons.forget()


@pytest.fixture
def portal() -> Portal:
    return Portal()


@pytest.fixture
def hubspot(portal: Portal) -> Iterator[HubSpot]:
    with HubSpot(
        Client(
            "https://api.hubapi.com", Token(SECRET, "HOLDWATER_HUBSPOT_TOKEN"), transport=httpx.MockTransport(portal)
        ),
        searches=Pacing(1000, 1.0),  # no test waits
    ) as connector:
        yield connector


@pytest.fixture
def company() -> Company:
    return Company()


@pytest.fixture
def pipedrive(company: Company) -> Iterator[Pipedrive]:
    token = Token(PIPEDRIVE_TOKEN, "HOLDWATER_PIPEDRIVE_TOKEN")
    client = Client("https://api.pipedrive.com", token, manners=MANNERS, transport=httpx.MockTransport(company))
    with Pipedrive(client) as connector:
        yield connector
