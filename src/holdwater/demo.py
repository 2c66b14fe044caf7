"""The demo: a simulated business, synced over real HTTP into a workbook with live formulas."""

from __future__ import annotations

import tempfile
from pathlib import Path

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.files import Exports
from holdwater.crm.hubspot import HubSpot
from holdwater.errors import NotOurWorkbookError, WorkbookError, WorkbookLockedError
from holdwater.metrics.run import report
from holdwater.sandbox import Business, serve, simulate
from holdwater.store.database import Store
from holdwater.store.sync import Progress, sync
from holdwater.workbook.owned import ABOUT
from holdwater.workbook.package import Package
from holdwater.workbook.refresh import Refreshed, refresh
from holdwater.workbook.template import write_template

SIMULATED = "SIMULATED business, no real customers"

_MAPPING = """\
name = "simulated bookkeeping"

[spend]
file = "spend.csv"

[spend.columns]
day = "month"
source = "source"
amount = "amount"
currency = "currency"
"""


def demo(out: Path, seed: int, progress: Progress | None = None) -> Refreshed:
    """Simulate, serve on loopback, sync, and write the workbook at `out`.

    WorkbookError if `out` exists and is anything but an earlier demo: a person's file is never overwritten.
    """
    _refuse_to_overwrite(out)
    business = simulate(seed=seed)
    with tempfile.TemporaryDirectory(prefix="holdwater-demo-") as scratch:
        folder = Path(scratch)
        business.write_exports(folder)
        mapping = folder / "mapping.toml"
        mapping.write_text(_MAPPING, encoding="utf-8")
        with Store.open(folder / "demo.db") as store:
            with serve(business) as sandbox:
                token = Token(sandbox.token, "the sandbox")
                # Without the pacing that a real account needs: nobody else shares this one.
                with HubSpot(Client(sandbox.url, token), home_currency=business.truth.currency) as connector:
                    sync(connector, store, progress=progress)
            sync(Exports(folder, mapping), store, progress=progress)
            figures = report(store, as_of=business.now)
    write_template(out, inputs(business))
    return refresh(out, figures, origin=f"{SIMULATED} (seed {seed})", now=business.now)


def inputs(business: Business) -> dict[str, float]:
    """What the owner of the simulated business would type; the referred come in as leads, so they are not typed."""
    truth = business.truth
    return {
        "monthly_revenue": float(truth.revenue_per_customer),
        "margin_share": truth.gross_margin,
        "monthly_churn": truth.churn,
        "monthly_discount": 0.008,
        "lead_work_cost": 6.0,
        "sales_people": 2.0,
        "sales_hours": 100.0,
        "touch_minutes": 15.0,
        "lead_touches": 2.0,
        "customers_now": float(sum(customer.end is None for customer in business.customers.values())),
        "monthly_fixed_cost": 4_000.0,
    }


def _refuse_to_overwrite(out: Path) -> None:
    if not out.exists():
        return
    message = f"{out} exists and is no demo workbook: give another name with --out."
    try:
        package = Package.open(out)
        table = package.table(ABOUT.name)
        simulated = any(str(cell.value).startswith(SIMULATED) for cell in package.read_cells(table.sheet))
    except (NotOurWorkbookError, WorkbookLockedError):
        raise
    except WorkbookError:
        raise WorkbookError(message) from None
    if not simulated:
        raise WorkbookError(message)
