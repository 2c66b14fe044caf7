"""What a connector promises to the sync: pages of records, each with what to remember once they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol, runtime_checkable

from holdwater.crm.records import Record


@dataclass(frozen=True, slots=True)
class Gone:
    """A record of the page's stream that counts no more, and how it went.

    `merged` names the record that lives on; `missing` is one that a reading of everything no longer met.
    """

    id: str
    how: Literal["deleted", "archived", "merged", "missing"]
    into: str | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """A record that could not be taken, named by its id, and what a person can do about it. No value of it is told."""

    id: str
    problem: str


@dataclass(frozen=True, slots=True)
class Page:
    """Records of one stream (`records.STREAMS`) that are stored in one transaction.

    `watermark` is set on a stream's last page only: every change up to that moment has been delivered. A source
    that is read whole every time, as files are, sets none.
    `expected` is the number of records the source announced for the stream, for the progress line.
    `whole`: the page belongs to a reading of everything that the source has; what it has not met when `last` comes
    is gone from the source.
    """

    stream: str
    records: Sequence[Record]
    watermark: datetime | None = None
    expected: int | None = None
    gone: Sequence[Gone] = ()
    issues: Sequence[Issue] = ()
    whole: bool = False
    last: bool = False


class Connector(Protocol):
    """One source."""

    @property
    def connection(self) -> str:
        """Names the account: the same source and account always give the same text, and no secret is in it."""

    def pages(self, watermarks: Mapping[str, datetime]) -> Iterator[Page]:
        """All records of the streams without a watermark; for the others what changed since it, less an overlap."""


@dataclass(frozen=True, slots=True)
class Identities:
    """Some ids of one stream, with nothing else about them.

    `exact`, on the last of a stream: none of them belongs to a record that was merged into another.
    """

    stream: str
    ids: Sequence[str]
    last: bool = False
    exact: bool = False


@runtime_checkable
class Reconcilable(Protocol):
    """A connector that can say cheaply what is there, so that what is not there any more is found."""

    def identities(self) -> Iterator[Identities]:
        """Every id of every stream that can lose records."""


@runtime_checkable
class Countable(Protocol):
    """A connector whose source says itself how many records it has, without listing them."""

    def counts(self, before: datetime) -> Mapping[str, int]:
        """How many records of a stream there are that were made before a moment (a whole second), by a question of
        its own. A stream is left out where the source counts anything else than what becomes a row of the store."""


@runtime_checkable
class Browsable(Protocol):
    """A connector to a source whose records people look at in a browser."""

    @property
    def site(self) -> str:
        """The address of the account's pages, without a slash at its end, or nothing; `links` knows what follows."""


@runtime_checkable
class Recognising(Protocol):
    """A connector to a source that knows e-mail addresses."""

    @property
    def recognises(self) -> bool:
        """Whether it has a key to make of them what the store may keep; else it asks for none."""


@runtime_checkable
class Forgetful(Reconcilable, Protocol):
    """One that tells what went for some time only (zero: never): after a longer pause its ids are compared anyway."""

    @property
    def remembers(self) -> timedelta: ...
