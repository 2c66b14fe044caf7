"""The report that a refresh writes, from the store."""

from __future__ import annotations

from pathlib import Path

from holdwater.errors import SetupError
from holdwater.metrics.figures import Report
from holdwater.metrics.reporting import report
from holdwater.store.database import Store


def store_report(path: Path) -> tuple[Report, str]:
    """The report and the connections it comes from; SetupError where nothing has been synced."""
    if not path.exists():
        raise SetupError(
            f"There is no store at {path}: run holdwater sync first, or give exports with --from and --mapping."
        )
    with Store.open(path) as store:
        synced = store.connections()
        if not synced:
            raise SetupError(f"Nothing has been synced into {path} yet: run holdwater sync first.")
        return report(store), ", ".join(synced)
