"""The Pipedrive connector: persons are leads, deals are deals, and what users have done are activities."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property

import httpx

from holdwater.crm import credentials, persons
from holdwater.crm.client import Client
from holdwater.crm.connector import Identities, Page
from holdwater.crm.credentials import Token
from holdwater.crm.manners import Manners
from holdwater.crm.over_http import OverHttp
from holdwater.crm.pacing import Pacing
from holdwater.crm.part import FAST_CLOCK, Part
from holdwater.crm.pipedrive_api import Api, pause, used_up
from holdwater.crm.pipedrive_reading import Names, Reader
from holdwater.crm.pipedrive_records import to_owner, to_stage
from holdwater.crm.pipedrive_wire import Account, WireStage, WireUser, name_of, read_record
from holdwater.crm.together import together
from holdwater.errors import BadAnswerError

ADDRESS = "https://api.pipedrive.com"
_DOMAIN = re.compile("[a-z0-9-]{1,63}")  # of a company's own pages
# The token travels in a header: in the address it would come into logs, and v2 does not take it there.
MANNERS = Manners(header="x-api-token", scheme="", pause=pause, used_up=used_up)


def connect(
    base_url: str = ADDRESS, token: Token | None = None, *, transport: httpx.BaseTransport | None = None
) -> Pipedrive:
    """A connector within the limits of the smallest plan; without `token`, the environment's or the keyring's."""
    pacing = Pacing(requests=20, seconds=2)
    token = token or credentials.token("pipedrive")
    client = Client(base_url, token, manners=MANNERS, pacing=pacing, transport=transport)
    return Pipedrive(client, person=persons.person_key if persons.recognised() else None)


class Pipedrive(OverHttp):
    """Reads users, stages, persons, leads, deals, what changed in them, and activities.

    `client` counts what that cost; its manners must be MANNERS. `person` makes of an e-mail address what the store may
    keep of it. `overlap` is read again before each watermark, since a change may show later than its time says.
    """

    def __init__(
        self,
        client: Client,
        *,
        person: Callable[[str | None], str | None] | None = None,
        overlap: timedelta = timedelta(minutes=10),
        at_once: int = 500,
    ) -> None:
        super().__init__(client)
        self.client = client
        self._person = person
        self._overlap = overlap
        self._api = Api(client, at_once=at_once)

    @property
    def connection(self) -> str:
        """The company's own number: the address is the same for all, and a token may be exchanged."""
        return f"pipedrive:{self._account.company_id}"

    @property
    def site(self) -> str:
        told = self._account.company_domain
        return f"https://{told}.pipedrive.com" if isinstance(told, str) and _DOMAIN.fullmatch(told) else ""

    @cached_property
    def _account(self) -> Account:
        return self._api.account().data

    def pages(self, watermarks: Mapping[str, datetime]) -> Iterator[Page]:
        """Users and stages first, which are few; then people and activities side by side; then what costs most.

        The window ends where the users' answer came, by the server's clock.
        """
        users = self._api.users()
        end = self.client.present
        owners, stages = Part(), Part()
        names = Names("users")
        for row in users:
            with owners.noting(names.of(row)):
                owners.add(to_owner(read_record(WireUser, row, "user")))
        yield replace(owners.page("owners"), watermark=end)
        names, pipelines = Names("stages"), dict[int, str]()
        for row in self._api.stages():
            with stages.noting(names.of(row)):
                wire = read_record(WireStage, row, "stage")
                stages.add(to_stage(wire))
                pipelines[wire.id] = str(wire.pipeline_id)
        yield replace(stages.page("stages"), watermark=end)
        reader = Reader(self._api, end, end + FAST_CLOCK, self._person)
        yield from together([reader.people(), reader.activities(self._since(watermarks, "activities"))])
        # What was begun and not ended has seen nothing of the deals after it, however long ago they moved.
        since = self._since(watermarks, "stage_events")
        ended = since is not None and watermarks["stage_events"] >= watermarks.get("deals", end)
        yield from reader.stage_events(since, since if ended else None, pipelines)

    def identities(self) -> Iterator[Identities]:
        """The ids of the activities that are done; all else is compared in every sync."""
        for rows in self._api.activities(None):
            yield Identities("activities", [_id(row) for row in rows if not (_is_open(row))])
        yield Identities("activities", [], last=True)

    def _since(self, watermarks: Mapping[str, datetime], stream: str) -> datetime | None:
        return watermarks[stream] - self._overlap if stream in watermarks else None


def _id(row: object) -> str:
    name = name_of(row)
    if name is None:  # it cannot be told from one that is missing
        raise BadAnswerError("Pipedrive listed an activity without a usable id; run the sync again later.")
    return name


def _is_open(row: object) -> bool:
    return isinstance(row, Mapping) and row.get("done") is False
