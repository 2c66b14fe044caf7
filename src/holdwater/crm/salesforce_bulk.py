"""Salesforce's bulk jobs (Bulk API 2.0): a question that is answered in its own time, as CSV in large pieces."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator

from holdwater.crm.client import Answer, Client
from holdwater.crm.paging import follow
from holdwater.crm.salesforce_query import Query
from holdwater.crm.salesforce_wire import WireJob, read
from holdwater.errors import BadAnswerError

Row = dict[str, str | None]
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 30.0  # seconds between two looks at a job
_PATIENCE = 3600.0  # seconds for one job


class Bulk:
    """Runs queries as jobs under `path` (/services/data/vNN.0), `at_once` records in each answer."""

    def __init__(self, client: Client, path: str, *, at_once: int = 10_000) -> None:
        self._client = client
        self._path = f"{path}/jobs/query"
        self._at_once = at_once

    def rows(self, query: Query) -> Iterator[list[Row]]:
        """Every row, also of what was deleted or archived; an empty cell is None, as Salesforce means it."""
        question = {"operation": "queryAll", "query": query.unordered(), "contentType": "CSV", "lineEnding": "LF"}
        job = read(WireJob, self._client.post_json(self._path, {**question}), f"The answer to POST {self._path}")
        path = f"{self._path}/{job.id}"
        self._wait_for(path, query)

        def fetch(locator: str | None) -> Answer:
            place = {"locator": locator} if locator else {}
            return self._client.get(f"{path}/results", {"maxRecords": self._at_once, **place}, accept="text/csv")

        for answer in follow(fetch, _locator, f"Salesforce's job for {query.object}"):
            yield _rows(answer, query)

    def _wait_for(self, path: str, query: Query) -> None:
        pause, waited = _FIRST_WAIT, 0.0
        while (state := read(WireJob, self._client.get_json(path), f"The answer to GET {path}").state) != "JobComplete":
            if state in ("Failed", "Aborted") or waited > _PATIENCE:
                how = "has not ended in an hour" if waited > _PATIENCE else f"is {state.lower()}"
                raise BadAnswerError(
                    f"Salesforce's job for {query.object} {how}; look under Setup > Bulk Data Load Jobs, or sync again."
                )
            time.sleep(pause)
            waited, pause = waited + pause, min(2 * pause, _LONGEST_WAIT)


def _locator(answer: Answer) -> str | None:
    """At the end, Salesforce sends the word null."""
    found = answer.headers.get("Sforce-Locator", "null")
    return None if found in ("", "null") else found


def _rows(answer: Answer, query: Query) -> list[Row]:
    if answer.headers.get("Sforce-NumberOfRecords") == "0":
        return []
    try:
        header, *lines = csv.reader(io.StringIO(answer.body.decode("utf-8"), newline=""), strict=True)
    except (ValueError, csv.Error):  # also where there is no header, and text that is not UTF-8
        header, lines = [], []
    whole = {len(header)} >= {len(line) for line in lines}
    if set(header) != set(query.fields) or not whole or answer.headers.get("Sforce-NumberOfRecords") != str(len(lines)):
        raise BadAnswerError(f"Salesforce's job for {query.object} sent something other than its rows; sync again.")
    return [dict(zip(header, (cell or None for cell in line), strict=True)) for line in lines]
