"""What a fit on 1, 10 and 100 million purchases costs when the engine counts: processor time, memory, rows moved.

python benchmarks/scale.py FOLDER [1e6 1e7 1e8]    (writes the Parquet files there once, 600 MB, and scale.svg)

Each size runs in a process of its own, so that the peak of memory is its own: all of it, engine and fit.
"""

from __future__ import annotations

import json
import platform
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from holdwater.metrics import statistics
from holdwater.metrics.engine import Embedded
from holdwater.models import bg_nbd, gamma_gamma
from holdwater.models.fitted import Estimator
from holdwater.sandbox.transactions import Shop, write_purchases

SIZES = (1e6, 1e7, 1e8)
MEMORY = "3500MB"  # for DuckDB; beyond it DuckDB writes to disk
PARTS = 8  # of the customers, one after the other
MERGED = "frequency, recency, age, sum(customers) AS customers"
THREADS = 2
SPEND_WIDTH = 0.01


def measured(folder: Path) -> dict[str, Any]:
    """Counts in DuckDB, then both fits, from the Parquet files of one folder."""
    shop = Shop()
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "threads": str(THREADS),
        "temp_directory": str(folder.parent / "spill"),
        "preserve_insertion_order": "false",
        "autoinstall_known_extensions": "false",
    }
    with closing(duckdb.connect(":memory:", config=config)) as database:
        database.from_parquet(str(folder / "*.parquet")).create_view("purchase")
        (rows,) = database.execute("SELECT count(*) FROM purchase").fetchone() or (0,)
        table = Embedded(database).table("purchase")

        # Some customers at a time, so that their days fit into memory; no customer is in two parts.
        parts = [table.filter(table.customer % PARTS == part) for part in range(PARTS)]

        def columns(counted: Callable[[Any], Any], merged: str = "*") -> tuple[dict[str, Any], float]:
            began = time.process_time()
            for number, part in enumerate(parts):
                start = "INSERT INTO counted" if number else "CREATE OR REPLACE TEMP TABLE counted AS"
                database.execute(f"{start} {Embedded(database).sql(counted(part))}")
            grouped = "" if merged == "*" else "GROUP BY ALL"
            found = database.execute(f"SELECT {merged} FROM counted {grouped}").fetchnumpy()
            return found, time.process_time() - began

        histories, counting = columns(lambda part: statistics.purchase_histories(part, shop.closed), MERGED)
        weeks, _ = columns(lambda part: statistics.purchase_histories(part, shop.closed, step=7), MERGED)
        spends, spending = columns(lambda part: statistics.spend_groups(part, shop.closed, width=SPEND_WIDTH))
    began = time.process_time()
    buying = _buyers(histories)
    spent = gamma_gamma.fit(spends["frequency"], spends["spend"], spends["customers"], estimator=Estimator.LIKELIHOOD)
    fitting = time.process_time() - began
    return {
        "purchases": rows,
        "customers": int(histories["customers"].sum()),
        "groups": len(histories["age"]),
        "week_groups": len(weeks["age"]),
        "spend_groups": len(spends["spend"]),
        "counting": counting,
        "spending": spending,
        "fitting": fitting,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "buying": list(buying.parameters.values()),
        "weeks": list(_buyers(weeks).parameters.values()),
        "spent": list(spent.parameters.values()),
    }


def _buyers(groups: dict[str, Any]) -> bg_nbd.BgNbd:
    return bg_nbd.fit(
        groups["frequency"], groups["recency"], groups["age"], groups["customers"], estimator=Estimator.LIKELIHOOD
    )


def written(folder: Path, size: float) -> Path:
    """The folder of so many purchases; what an interrupted run left is written anew."""
    place, draft = folder / f"{size:.0f}", folder / f"{size:.0f}.unfinished"
    if not place.exists():
        shutil.rmtree(draft, ignore_errors=True)
        write_purchases(draft, int(size))
        draft.rename(place)
    return place


def one(folder: Path, size: float) -> dict[str, Any]:
    """What `measured` says in a process of its own, with the seconds of all three steps."""
    command = [sys.executable, __file__, "--one", str(written(folder, size))]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found | {"seconds": found["counting"] + found["spending"] + found["fitting"]}


def main(folder: Path, sizes: list[float]) -> None:
    shop, found = Shop(), []
    print(f"{platform.platform()}, Python {platform.python_version()}, DuckDB {duckdb.__version__}, {THREADS} threads")
    print("Seconds of processor time:")
    print("| purchases | customers | groups | counts, s | spends, s | fits, s | s a million | peak, MB |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    for size in sizes:
        told = one(folder, size)
        found.append(told)
        print(
            f"| {told['purchases']:,} | {told['customers']:,} | {told['groups']:,} | {told['counting']:.1f} |"
            f" {told['spending']:.1f} | {told['fitting']:.1f} | {told['seconds'] / told['purchases'] * 1e6:.2f} |"
            f" {told['megabytes']:,.0f} |",
            flush=True,
        )
    last = found[-1]
    print(f"By weeks {last['week_groups']:,} groups; of spends {last['spend_groups']:,}.")
    for name, truth, fits in (
        ("r, alpha, a, b", shop.buying, last["buying"]),
        ("the same by weeks", shop.buying, last["weeks"]),
        ("p, q, v", shop.spending, last["spent"]),
    ):
        print(f"{name}: true {', '.join(f'{t:g}' for t in truth)}; fitted {', '.join(f'{f:.4g}' for f in fits)}")
    (folder / "scale.svg").write_text(svg(found), encoding="utf-8")


def svg(found: list[dict[str, Any]]) -> str:
    """Processor time against purchases, both as logarithms: a line of slope 1 is a cost that grows linearly."""
    x, y = (np.log10([one[name] for one in found]) for name in ("purchases", "seconds"))
    left, right = int(np.floor(x.min() + 0.01)), int(np.ceil(x.max() - 0.01))
    low, high = int(np.floor(y.min())), int(np.ceil(y.max()))
    size = 120.0  # pixels a factor of ten

    def at(px: float, py: float) -> tuple[float, float]:
        return 70 + (px - left) * size, 30 + (high - py) * size

    def line(points: list[tuple[float, float]], style: str) -> str:
        return f'<path d="M{"L".join(f"{px:.1f} {py:.1f}" for px, py in points)}" fill="none" {style}/>'

    width, height = at(right, low)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 60:.0f}" height="{height + 50:.0f}"'
        ' font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
    ]
    for power in range(left, right + 1):
        px, py = at(power, low)
        parts.append(f'<text x="{px:.0f}" y="{py + 20:.0f}" text-anchor="middle">{10**power:,}</text>')
        parts.append(line([(px, py), at(power, high)], 'stroke="#ddd"'))
    for power in range(low, high + 1):
        px, py = at(left, power)
        parts.append(f'<text x="{px - 8:.0f}" y="{py + 4:.0f}" text-anchor="end">{10.0**power:g} s</text>')
        parts.append(line([(px, py), at(right, power)], 'stroke="#ddd"'))
    parts.append(line([at(x[-1] - (y[-1] - low), low), at(x[-1], y[-1])], 'stroke="#999" stroke-dasharray="5 4"'))
    points = [at(*pair) for pair in zip(x, y, strict=True)]
    parts.append(line(points, 'stroke="#1f5f8b" stroke-width="2"'))
    parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="4" fill="#1f5f8b"/>' for px, py in points]
    parts.append(f'<text x="{(70 + width) / 2:.0f}" y="{height + 40:.0f}" text-anchor="middle">purchases</text>')
    parts.append(
        '<text x="70" y="18">Counts in DuckDB and fits (dashed: ten times the rows, ten times the time)</text>'
    )
    return "".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        print(json.dumps(measured(Path(sys.argv[2]))))
    else:
        main(Path(sys.argv[1]), [float(size) for size in sys.argv[2:]] or list(SIZES))
