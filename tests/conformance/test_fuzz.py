"""Every connector under answers that are wrong in one place: a record is taken right or reported with its id."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from mutations import PERSONAL, Mutation, honest, mutated
from trial import Trial
from vendors import VENDORS, Vendor

from holdwater.crm.connector import Connector
from holdwater.crm.records import STREAMS
from holdwater.errors import HoldwaterError
from holdwater.sandbox import Source, Truth, simulate
from holdwater.sandbox.server import Reply
from holdwater.store.database import Store
from holdwater.store.schema import CANONICAL, Column, Table
from holdwater.store.sync import sync

ANSWERS = 500  # changed, of each of the two kinds of change, for each connector


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.name)
def trial(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Trial]:
    """A small business, since each run reads it all."""
    sources = (Source(name="PAID_SEARCH", leads_per_month=40, conversion=0.4, days_to_win=5),)
    truth = Truth(sources=sources, churn=0.1, referral_rate=0.0, revenue_per_customer=Decimal(50), gross_margin=0.5)
    vendor: Vendor = request.param
    with ExitStack() as stack:
        business = simulate(truth, seed=3, months=1)
        sandbox = stack.enter_context(vendor.serve(business))
        store = stack.enter_context(Store.open(tmp_path / "clean.db"))
        yield Trial(vendor, business, sandbox, store)


@pytest.mark.slow
@pytest.mark.parametrize("inside_records", [True, False], ids=["records", "anything"])
def test_what_is_wrong_is_told_and_the_rest_is_right(trial: Trial, tmp_path: Path, inside_records: bool) -> None:
    count = runs = ended = 0
    while count < ANSWERS:
        mutations: list[Mutation] = []
        answers: Counter[str] = Counter()

        def change(path: str, reply: Reply) -> Reply:
            """The same in every run of the test, however the threads of a connector take turns."""
            status, headers, body = reply
            answers[path] += 1  # noqa: B023 -- called within this turn of the loop, as below
            chance = random.Random(f"{runs} {path} {answers[path]}")  # noqa: B023
            found = None
            if status < 300 and chance.random() < 0.3:
                found = mutated(body, chance, inside_records=inside_records)
            if found is None:
                return reply
            mutations.append(found[1])  # noqa: B023
            return status, headers, found[0]

        trial.sandbox.on_reply = change
        path = tmp_path / f"{runs}.db"
        with trial.vendor.connect(trial.sandbox) as connector, Store.open(path) as store:
            # By turns, everything and what changed: the two are asked for in different ways.
            problem = ending(connector, store, None if runs % 2 else trial.business.start)
            assert PERSONAL not in str(problem), mutations
            ended += problem is not None
            whole = inside_records and problem is None
            Kept(trial, store, connector.connection if whole else "", mutations).check(whole=whole)
        path.unlink()
        count, runs = count + len(mutations), runs + 1
    assert not inside_records or ended < runs / 2  # most runs go on
    trial.sandbox.on_reply = None
    trial.sync()
    trial.assert_equal()


def ending(connector: Connector, store: Store, since: datetime | None) -> HoldwaterError | None:
    """How a run ends; any other error is a fault of ours and fails the test."""
    try:
        sync(connector, store, since=since)
    except HoldwaterError as problem:
        return problem
    return None


class Kept:
    """What one run has put into the store, held against the simulator."""

    def __init__(self, trial: Trial, store: Store, connection: str, mutations: list[Mutation]) -> None:
        self.store, self.mutations = store, mutations
        self.expected = trial.vendor.expected(trial.business)
        self.honest = honest(mutations)
        self.computed = {(CANONICAL[STREAMS[stream]].name, column) for stream, column in trial.vendor.computed}
        self.issues = [issue for found in store.issues(connection).values() for issue in found]

    def check(self, *, whole: bool) -> None:
        named = {issue.id for issue in self.issues}
        known = {record.id for records in self.expected.values() for record in records}
        nameless = len(named - known)
        without: set[object] = set()  # records that are not there, whose parts cannot be there either
        for issue in self.issues:
            assert PERSONAL not in issue.id + issue.problem, self.mutations
        for stream, records in sorted(self.expected.items(), key=lambda item: item[0] not in ("leads", "deals")):
            table = CANONICAL[STREAMS[stream]]
            kept = self._rows(table)
            lost = []
            for record, row in zip(records, table.rows("", records), strict=True):
                wanted = dict(zip(("connection", *_names(table)), row, strict=True))
                if record.id in kept:
                    self._compare(table, kept.pop(record.id), wanted)
                elif not (named | without) & {record.id, *(wanted.get(key) for key in _belonging(stream))}:
                    lost.append(record.id)
            without.update(lost)
            # One whose id was changed is there under another, or told by its place.
            assert not whole or len(lost) <= len(kept) + nameless, (stream, lost, self.mutations, self.issues)

    def _rows(self, table: Table) -> dict[str, dict[str, Any]]:
        names = _names(table)
        rows = [row for rows in self.store.rows(table.name, names) for row in rows]
        return {row[0]: dict(zip(names, row, strict=True)) for row in rows}

    def _compare(self, table: Table, kept: dict[str, Any], wanted: dict[str, Any]) -> None:
        for column in table.columns:
            value = kept[column.name]
            right = value == wanted[column.name] or self._may_be(table, column, value)
            right = right or (value is not None and (table.name, column.name) in self.computed)
            assert right, (table.name, column.name, value, wanted[column.name], self.mutations)

    def _may_be(self, table: Table, column: Column, value: object) -> bool:
        """Whether an honest reader of the changed answer could have come to this value."""
        if value is None:
            return not column.required
        hint = get_type_hints(table.row_class).get(column.name)
        choices = [one for one in (hint, *get_args(hint)) if get_origin(one) is Literal]
        if choices:
            return value in get_args(choices[0])
        return column.kind.name == "text" or value in self.honest


def _belonging(stream: str) -> tuple[str, ...]:
    """What a record is a part of, and goes unread with."""
    return ("pipeline_id",) if stream == "stages" else ("lead_id", "deal_id", "customer_id")


def _names(table: Table) -> list[str]:
    return [column.name for column in table.columns]
