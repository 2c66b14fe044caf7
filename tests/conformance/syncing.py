"""One sync in a process of its own, which a test may kill or keep short of room."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from trial import Trial

_HERE = Path(__file__).parent
_CHILD = """
import json, resource, signal, sys
sys.path.insert(0, sys.argv[1])
from vendors import VENDORS
from holdwater.errors import HoldwaterError
from holdwater.sandbox import Sandbox
from holdwater.store.database import Store
from holdwater.store.sync import sync

vendor = next(vendor for vendor in VENDORS if vendor.name == sys.argv[2])
sandbox = Sandbox(None, "", ())
vars(sandbox).update(json.loads(sys.argv[3]))
most = int(sys.argv[5])
if most:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
try:
    with vendor.connect(sandbox) as connector, Store.open(sys.argv[4]) as store:
        sync(connector, store)
except HoldwaterError as error:
    print(f"holdwater: {error}", file=sys.stderr)
    raise SystemExit(error.exit_code)
"""


def syncing(trial: Trial, store: Path, *, most_bytes: int = 0) -> subprocess.Popen[str]:
    """Starts a sync of the trial's sandbox; `most_bytes` is how long a file it writes may become (0: no limit)."""
    plain = {key: value for key, value in vars(trial.sandbox).items() if isinstance(value, str | int)}
    words = [str(_HERE), trial.vendor.name, json.dumps(plain), str(store), str(most_bytes)]
    return subprocess.Popen([sys.executable, "-c", _CHILD, *words], stderr=subprocess.PIPE, text=True)
