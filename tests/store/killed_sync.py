"""Run by test_killed.py: syncs one generation of a source, telling each page it is about to hand over.

Each page needs a byte of standard input, so that the sync cannot run far ahead of the test that watches it.

Every generation has the same rows in newer versions, so every one of its commits writes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from holdwater.crm.connector import Page
from holdwater.crm.records import Deal, Lead, Record
from holdwater.store.database import Store
from holdwater.store.sync import sync

CONNECTION = "test:killed"
PAGES_A_STREAM, ROWS_A_PAGE = 40, 50
FIRST_CONTACT = datetime(2026, 1, 1, tzinfo=UTC)


def version(generation: int) -> datetime:
    return FIRST_CONTACT + timedelta(days=generation)


class Source:
    connection = CONNECTION

    def __init__(self, generation: int, *, tell: bool = False) -> None:
        self.updated_at = version(generation)
        self.tell = tell

    def pages(self, watermarks: Mapping[str, datetime]) -> Iterator[Page]:
        for stream, record in (("leads", self.lead), ("deals", self.deal)):
            for number in range(PAGES_A_STREAM):
                if self.tell:
                    print(stream, number, flush=True)
                    os.read(sys.stdin.fileno(), 1)  # waits for leave to go on
                records = [record(f"{number}-{row}") for row in range(ROWS_A_PAGE)]
                yield Page(stream, records, self.updated_at if number == PAGES_A_STREAM - 1 else None)

    def lead(self, id: str) -> Record:
        return Lead(id=id, created_at=FIRST_CONTACT, updated_at=self.updated_at)

    def deal(self, id: str) -> Record:
        return Deal(id=id, status="won", created_at=FIRST_CONTACT, updated_at=self.updated_at, lead_id=id)


if __name__ == "__main__":
    with Store.open(sys.argv[1]) as store:
        sync(Source(int(sys.argv[2]), tell=True), store)
