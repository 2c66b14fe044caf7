"""What each command of the command line does; imports what it needs when it runs, so that the bare install has it."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from holdwater.commands import answers, installing, reading, workbooks

COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "demo": workbooks.demo,
    "template": workbooks.template,
    "connect": reading.connect,
    "sources": reading.sources,
    "sync": reading.sync,
    "refresh": workbooks.refresh,
    "close": workbooks.close,
    "explain": workbooks.explain,
    "metrics": answers.metrics,
    "words": answers.words,
    "add-tables": workbooks.add_tables,
    "diagnose": answers.diagnose,
    "names": workbooks.names,
    "lite": installing.lite,
    "calc": installing.calc,
    "excel": installing.excel,
    "doctor": installing.doctor,
    "functions": answers.functions,
}
