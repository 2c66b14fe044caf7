"""The demo: a simulated business, synced over real HTTP into a workbook with live formulas."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.files import Exports
from holdwater.crm.hubspot import HubSpot
from holdwater.errors import WorkbookError
from holdwater.metrics.reporting import report
from holdwater.sandbox import Business, serve, simulate
from holdwater.store.database import Store
from holdwater.store.sync import Progress, sync
from holdwater.workbook.refresh import Refreshed, refresh
from holdwater.workbook.store_report import with_own_counts
from holdwater.workbook.template import write_template

SIMULATED = "SIMULATED business, no real customers"

# What the owner of the simulated business might think of doing.
FIXES = (
    ("Onboarding calls", "churn", 0.15, 9_000.0, 2, None, 300.0),
    ("Sales training", "conversion", 0.1, 6_000.0, 1, None, None),
    ("One more on the phone", "lead capacity", 0.5, 2_000.0, 1, "Sales training", 2_500.0),
)

_MAPPING = """\
name = "simulated bookkeeping"

[spend]
file = "spend.csv"

[spend.columns]
day = "month"
source = "source"
amount = "amount"
currency = "currency"

[customers]
file = "customers.csv"

[customers.columns]
id = "customer"
started_at = "started"
ended_at = "ended"
"""


def demo(out: Path, seed: int, progress: Progress | None = None) -> Refreshed:
    """Simulate, serve on loopback, sync, and write the workbook at `out`.

    WorkbookError if `out` exists and is anything but this very demo: a file is never overwritten.
    """
    if out.suffix.lower() != ".xlsx":
        raise WorkbookError(f"{out} is no name for a workbook: give one that ends in .xlsx.")
    business = simulate(seed=seed)
    with tempfile.TemporaryDirectory(prefix="holdwater-demo-") as scratch:
        folder = Path(scratch)
        with Store.open(folder / "demo.db") as store:
            with serve(business) as sandbox:
                token = Token(sandbox.token, "the sandbox")
                # Without the pacing that a real account needs: nobody else shares this one.
                with HubSpot(Client(sandbox.url, token)) as connector:
                    sync(connector, store, progress=progress)
            sync_exports(business, folder / "exports", store, progress)
            figures = with_own_counts(report(store, as_of=business.now), store)
        made = folder / out.name
        write_template(made, inputs(business), SIMULATED, FIXES)
        done = refresh(made, figures, origin=f"{SIMULATED} (seed {seed})", now=business.now)
        _put(made, out)
    return replace(done, path=out)


def sync_exports(business: Business, folder: Path, store: Store, progress: Progress | None = None) -> None:
    """Spend and customers, which the simulated bookkeeping exports into the new folder."""
    folder.mkdir()
    business.write_exports(folder)
    mapping = folder / "mapping.toml"
    mapping.write_text(_MAPPING, encoding="utf-8")
    sync(Exports(folder, mapping), store, progress=progress)


def _put(made: Path, out: Path) -> None:
    """Move the finished workbook to its place; WorkbookError where another one stands there."""
    if out.exists():
        if out.read_bytes() == made.read_bytes():
            return
        raise WorkbookError(
            f"{out} exists and holds something else, perhaps work of yours: give another name with --out."
        )
    try:
        shutil.copyfile(made, out)
    except OSError as error:
        raise WorkbookError(f"{out} cannot be written ({error.strerror}): give another name or folder.") from None


def inputs(business: Business) -> dict[str, float]:
    """What the owner of the simulated business would type."""
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
        "monthly_referral": truth.referral_rate,  # their leads have a source of their own
    }
