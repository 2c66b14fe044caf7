"""A sync of the sandbox into a store, in a process of its own; prints seconds, peak memory and a checksum.

The checksum is of what a peer keeps too: what it lacks (such as consents) is extra work, and left out.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from datetime import datetime
from pathlib import Path

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot
from holdwater.crm.pacing import Pacing
from holdwater.store.database import Store
from holdwater.store.sync import sync

url, path = sys.argv[1], Path(sys.argv[2])
# Without the pacing that a real account needs: nobody else shares this one.
client = Client(url, Token("simulated-token", "the sandbox"))
start = time.perf_counter()
with HubSpot(client, searches=Pacing(1_000_000, 1)) as connector, Store.open(path) as store:
    run = sync(connector, store)
seconds = time.perf_counter() - start
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


lines: list[str] = []
with Store.open(path) as store:
    for some in store.rows("lead", ("id", "created_at", "updated_at", "source_raw")):
        lines += [f"lead {id_} {milliseconds(a)} {milliseconds(b)} {source}" for id_, a, b, source in some]
    columns = ("id", "updated_at", "amount_text", "stage_id", "lost_reason_raw", "lead_id")
    for some in store.rows("deal", columns):
        lines += [
            f"deal {id_} {milliseconds(at)} {amount} {stage} {reason} {lead}"
            for id_, at, amount, stage, reason, lead in some
        ]
    for some in store.rows("stage_event", ("deal_id", "entered_at", "stage_id")):
        lines += [f"stage {deal} {milliseconds(at)} {stage}" for deal, at, stage in some]
    for some in store.rows("activity", ("id", "occurred_at", "lead_id")):
        lines += [f"{id_.replace(':', ' ')} {milliseconds(at)} {lead}" for id_, at, lead in some]
checksum = hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
print(
    json.dumps(
        {
            "seconds": seconds,
            "memory": memory,
            "requests": run.requests,
            "written": run.rows_written,
            "checksum": checksum,
            "rows": len(lines),
        }
    )
)
