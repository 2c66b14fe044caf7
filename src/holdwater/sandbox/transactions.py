"""Purchases of any number of simulated customers with known truth, written as Parquet a block at a time.

Everybody buys at a rate of their own and after each purchase may leave for good (BG/NBD); what they spend at a time
varies around a mean of their own (Gamma-Gamma). The same seed gives the same rows, whatever else is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from math import inf
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from holdwater.errors import ExportError, NumError

_BLOCK = 200_000  # customers: some tens of megabytes
_LEAST = 1e-300  # a rate of 0 would wait for ever, with a warning


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """How the customers behave; the unit of time is a day, that of money a hundredth.

    NumError for a shop that cannot be.
    """

    buying: tuple[float, float, float, float] = (1.6, 36.0, 0.5, 7.0)  # r, alpha, a, b of BG/NBD
    spending: tuple[float, float, float] = (4.0, 5.0, 4_000.0)  # p, q, v of Gamma-Gamma
    opened: date = date(2025, 1, 1)
    days: int = 365  # observed
    new_customers_until: int = 270  # days after the opening

    def __post_init__(self) -> None:
        for name, numbers in (("buying", self.buying), ("spending", self.spending)):
            if not all(0 < number < inf for number in numbers):
                raise NumError(f"Shop: {name} is {numbers}; each has to be above 0.")
        if not 0 <= self.new_customers_until <= self.days:
            raise NumError(
                f"Shop: new_customers_until is {self.new_customers_until}; give 0 to the {self.days} days observed."
            )

    @property
    def closed(self) -> date:
        """The last day of the observation."""
        return date.fromordinal(self.opened.toordinal() + self.days - 1)


class Purchases(NamedTuple):
    customer: NDArray[np.int64]
    day: NDArray[np.int64]  # after the opening
    amount_minor: NDArray[np.int64]


def purchases(shop: Shop, *, seed: int = 1) -> Iterator[Purchases]:
    """Block after block of customers, without end; every row of a customer is in one block."""
    block = 0
    while True:
        yield _block(shop, np.random.default_rng([seed, block]), first_customer=block * _BLOCK)
        block += 1


def write_purchases(folder: Path, rows: int, *, shop: Shop | None = None, seed: int = 1) -> int:
    """Write at least so many rows (whole customers) into `folder` as part-00000.parquet and so on; how many it were.

    Columns: customer, day (a date), amount_minor. NumError for a number below 1, ExportError for a folder that holds
    rows already.
    """
    if rows < 1:
        raise NumError(f"Purchases: rows is {rows}; give 1 or more.")
    shop = shop or Shop()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.glob("*.parquet")):
        raise ExportError(f"The folder {folder} already holds Parquet files: give an empty one.")
    written = 0
    with closing(duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})) as database:
        for number, block in enumerate(purchases(shop, seed=seed)):
            if len(block.customer) > rows - written:
                last = int(np.searchsorted(block.customer, block.customer[rows - written - 1], side="right"))
                block = Purchases(*(column[:last] for column in block))
            _write(database, block, shop.opened, folder / f"part-{number:05}.parquet")
            written += len(block.customer)
            if written >= rows:
                return written
    raise AssertionError  # the blocks have no end


def _write(database: duckdb.DuckDBPyConnection, block: Purchases, opened: date, path: Path) -> None:
    columns = block._asdict()  # noqa: F841 -- the statement reads it by name
    database.execute(
        "COPY (SELECT customer, ?::DATE + day::INTEGER AS day, amount_minor FROM columns) TO ? (FORMAT parquet)",
        [opened, str(path)],
    )


def _block(shop: Shop, random: np.random.Generator, first_customer: int) -> Purchases:
    """The purchases of one block of customers, by customer and then by day."""
    r, alpha, a, b = shop.buying
    p, q, v = shop.spending
    rate = np.maximum(random.gamma(r, 1 / alpha, _BLOCK), _LEAST)
    leaving = random.beta(a, b, _BLOCK)
    taste = random.gamma(q, 1 / v, _BLOCK)
    moment = random.uniform(0, shop.new_customers_until, _BLOCK)
    here = np.arange(_BLOCK)
    customers, moments = [here], [moment]
    while here.size:
        # As BG/NBD has it, nobody leaves at the first purchase, the one that makes a customer.
        moment = moment + random.exponential(1 / rate[here])
        within = moment < shop.days
        here, moment = here[within], moment[within]
        customers.append(here)
        moments.append(moment)
        stay = random.random(here.size) >= leaving[here]
        here, moment = here[stay], moment[stay]
    who, when = np.concatenate(customers), np.concatenate(moments)
    order = np.lexsort((when, who))
    who, when = who[order], when[order]
    amount = np.maximum(np.rint(random.gamma(p, 1 / taste[who])), 1).astype(np.int64)
    return Purchases(first_customer + who, when.astype(np.int64), amount)
