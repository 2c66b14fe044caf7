"""What a connector promises to the sync: pages of records, each with what to remember once they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from holdwater.crm.records import Record


@dataclass(frozen=True, slots=True)
class Page:
    """Records that are stored in one transaction.

    `watermark` is set on a stream's last page only: every change up to that moment has been delivered. A source
    that is read whole every time, as files are, sets none.
    `expected` is the number of records the source announced for the stream, for the progress line.
    """

    stream: str
    records: Sequence[Record]
    watermark: datetime | None = None
    expected: int | None = None


class Connector(Protocol):
    """One source. Streams are named `owners`, `stages`, `leads`, `deals`, `customers`, `spend`."""

    @property
    def connection(self) -> str:
        """Names the account: the same source and account always give the same text, and no secret is in it."""

    def pages(self, watermarks: Mapping[str, datetime]) -> Iterator[Page]:
        """All records of the streams without a watermark; for the others what changed since it, less an overlap."""
