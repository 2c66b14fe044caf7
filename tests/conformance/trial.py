"""One vendor on trial: its sandbox, its connector, and a store beside them."""

from __future__ import annotations

from typing import Any

from vendors import Vendor

from holdwater.crm.records import STREAMS
from holdwater.sandbox import Business, Sandbox
from holdwater.store.database import Store
from holdwater.store.runs import Run
from holdwater.store.schema import CANONICAL
from holdwater.store.sync import sync


class Trial:
    """One vendor's sandbox with a business that may change, and a store beside it."""

    def __init__(self, vendor: Vendor, business: Business, sandbox: Sandbox, store: Store) -> None:
        self.vendor, self.business, self.sandbox, self.store = vendor, business, sandbox, store
        self.connection = ""

    def sync(self, *, full: bool = False, reconcile: bool = False) -> Run:
        with self.vendor.connect(self.sandbox) as connector:
            self.connection = connector.connection
            return sync(connector, self.store, full=full, reconcile=reconcile)

    def expected(self) -> dict[str, set[tuple[Any, ...]]]:
        """The rows of each stream that the store must hold now."""
        return {
            stream: set(CANONICAL[STREAMS[stream]].rows(self.connection, records))
            for stream, records in self.vendor.expected(self.business).items()
        }

    def assert_equal(self) -> None:
        """The store holds what the simulator says, record for record: nothing lost, nothing doubled, nothing stale."""
        for stream, rows in self.expected().items():
            table = CANONICAL[STREAMS[stream]]
            columns = ["connection", *(column.name for column in table.columns)]
            kept = {row for rows in self.store.rows(table.name, columns) for row in rows}
            assert kept == rows, stream
        assert self.store.issues(self.connection) == {}
