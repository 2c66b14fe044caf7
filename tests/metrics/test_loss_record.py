"""What the messages say of the reasons for lost deals: single cases here, random businesses against LOSS_CHECK itself
in test_customer_report.py."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import duckdb
import pytest
from random_books import NOW, books

from holdwater.crm.connector import Page
from holdwater.crm.records import Activity, Deal, Record
from holdwater.metrics.customer_figures import Claim, LossRecord
from holdwater.metrics.engine import Embedded
from holdwater.metrics.loss_record import loss_checks, loss_verdicts
from holdwater.metrics.records import verdicts_behind
from holdwater.metrics.reporting import report
from holdwater.metrics.shown import as_json, as_text
from holdwater.metrics.words import Words, guess, guess_claim
from holdwater.store.database import Store

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = START + timedelta(days=90)


def after(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def lost(id: str = "d", reason: str | None = "no_reply", closed: datetime | None = LATER) -> Deal:
    return Deal(id=id, status="lost", created_at=START, updated_at=LATER, lead_id="l", closed_at=closed,
                lost_reason=reason)  # fmt: skip


def message(hours: float, direction: Literal["in", "out"] | None, *, deal: str | None = "d", lead: str | None = "l",
            kind: Literal["call", "email", "meeting", "note", "message"] = "email") -> Activity:  # fmt: skip
    return Activity(id=f"{hours} {direction} {deal} {lead} {kind}", kind=kind, direction=direction, updated_at=LATER,
                    occurred_at=after(hours), lead_id=lead, deal_id=deal)  # fmt: skip


def verdicts(folder: Path, *records: Record, as_of: datetime = LATER) -> list[str]:
    """Straight from the expression: a whole report takes its time."""
    with Store.open(folder / "holdwater.db") as store, closing(duckdb.connect(":memory:")) as database:
        store.keep("a", Page("any", list(records)))
        engine = Embedded(database)
        engine.feed(store)
        until = as_of.replace(tzinfo=None)
        claims: dict[str, Claim] = {"no_reply": "no reply", "our_delay": "our delay"}
        return [row["verdict"] for row in engine.rows(loss_verdicts(until, claims))]


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ([], "no messages"),
        ([(0, "out")], "supported"),  # never answered
        ([(0, "in")], "no messages"),  # we never asked anything
        ([(0, "out"), (72, "in")], "contradicted"),
        ([(0, "out"), (72.1, "in")], "supported"),
        ([(0, "out"), (60, "out"), (73, "in")], "supported"),  # a turn counts from its first message
        ([(0, "out"), (1, "in"), (2, "out"), (200, "in")], "contradicted"),  # half of them in time
        ([(0, "out"), (1, "in"), (2, "out"), (200, "in"), (201, "out")], "supported"),  # a third
        ([(0, "in"), (0, "out")], "supported"),  # of one moment: theirs came first
    ],
)
def test_whether_they_did_not_reply(
    tmp_path: Path, log: list[tuple[float, Literal["in", "out"]]], expected: str
) -> None:
    assert verdicts(tmp_path, lost(), *(message(*one) for one in log)) == [expected]


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ([(0, "out")], "no messages"),  # they never asked anything
        ([(0, "in"), (72, "out")], "contradicted"),
        ([(0, "in"), (73, "out")], "supported"),
        ([(0, "in"), (90, "in")], "supported"),  # still without an answer when they asked again
        ([(0, "in")], "contradicted"),  # how long it waited, the log does not tell
        ([(0, "in"), (1, "out"), (2, "in"), (145, "out")], "contradicted"),  # 1 and 143 hours: 72 in the middle
        ([(0, "in"), (1, "out"), (2, "in"), (146, "out")], "supported"),
        ([(0, "in"), (1, "out"), (2, "in"), (3, "out"), (4, "in"), (900, "out")], "contradicted"),
    ],
)
def test_whether_we_were_late(tmp_path: Path, log: list[tuple[float, Literal["in", "out"]]], expected: str) -> None:
    assert verdicts(tmp_path, lost(reason="our_delay"), *(message(*one) for one in log)) == [expected]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (message(5, "in"), "contradicted"),
        (message(5, "in", lead=None), "contradicted"),
        (message(5, "in", deal=None), "contradicted"),  # of the lead, and of no deal
        (message(5, "in", deal="other"), "supported"),  # of another deal of the same lead
        (message(5, "in", deal=None, lead="other"), "supported"),
        (message(5, "in", deal=None, lead=None), "supported"),
        (message(5, "in", kind="call"), "contradicted"),
        (message(5, "in", kind="meeting"), "supported"),  # in a meeting both speak; nobody replies
        (message(5, "in", kind="note"), "supported"),
        (message(5, None), "supported"),  # nobody knows whose it was
    ],
)
def test_which_messages_are_the_deals(tmp_path: Path, reply: Activity, expected: str) -> None:
    assert verdicts(tmp_path, lost(), message(0, "out"), reply) == [expected]


def test_what_was_written_after_the_loss_tells_nothing_of_it(tmp_path: Path) -> None:
    first, reply = message(0, "out"), message(50, "in")
    midnight = after(50).replace(hour=0)
    assert verdicts(tmp_path, lost(closed=midnight), first, reply) == ["contradicted"]  # on that very day
    assert verdicts(tmp_path, lost(closed=midnight - timedelta(hours=1)), first, reply) == ["supported"]
    assert verdicts(tmp_path, lost(closed=None), first, reply) == ["contradicted"]
    assert verdicts(tmp_path, lost(closed=None), first, reply, as_of=after(49)) == ["supported"]
    assert verdicts(tmp_path, lost(), first, reply, as_of=after(49)) == []  # not lost yet


def test_deals_of_two_connections_are_two(tmp_path: Path) -> None:
    with Store.open(tmp_path / "holdwater.db") as store:
        store.keep("a", Page("any", [lost(), message(0, "out")]))
        store.keep("b", Page("any", [lost(), message(0, "out"), message(1, "in")]))
        (reason,) = report(store, as_of=LATER).lost_reasons
        assert reason.record == LossRecord(claim="no reply", supported=1, contradicted=1, no_messages=0)
        (behind,) = verdicts_behind(store, "no_reply", "no reply", "Record contradicts", LATER)
    assert behind == ("b", "deals", "d", LATER.date())


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("no_reply", "no reply"), ("never_answered_our_mail", None), ("Did not respond", "no reply"),
     ("went unresponsive", "no reply"), ("not responsible for the budget", None), ("price", None), (None, None),
     ("our_delay", "our delay"), ("Too late", "our delay"), ("slow service", "our delay"), ("our quality", None),
     ("reply pending", None)],
)  # fmt: skip
def test_a_first_reading_of_a_reason(reason: str | None, expected: str | None) -> None:
    assert guess_claim(reason, guess(reason)) == expected


def test_the_words_file_says_what_can_be_tested(tmp_path: Path) -> None:
    path = tmp_path / "words.toml"
    path.write_text(
        '[lost_reasons]\n"Funkstille" = { whose = "them", claim = "no reply" }\n'
        '"no reply" = { whose = "them", claim = "none" }\n"verschleppt" = { whose = "us", claim = "our delay" }\n',
        encoding="utf-8",
    )
    deals = [lost("d", "funkstille"), lost("e", "no_reply"), lost("f", "verschleppt"), lost("g", "funkstille")]
    with Store.open(tmp_path / "holdwater.db") as store:
        store.keep("a", Page("any", [*deals, message(0, "out"), message(0, "out", deal="g")]))
        reasons = report(store, as_of=LATER, words=Words.read(path)).lost_reasons
    records = [reason.record for reason in reasons if reason.record]
    assert [(r.claim, r.supported, r.no_messages) for r in records] == [("no reply", 2, 0), ("our delay", 0, 1)]


def test_random_businesses_hold_every_verdict_and_only_counts_leave_the_engine(tmp_path: Path) -> None:
    with Store.open(tmp_path / "holdwater.db") as store:
        store.keep("a", Page("any", books(5, 400)))
        figures = report(store, as_of=NOW)
        records = {reason.reason: reason.record for reason in figures.lost_reasons if reason.record}
        assert set(records) == {"no_reply", "our_delay"}
        for reason, record in records.items():
            assert min(record.supported, record.contradicted, record.no_messages) > 0
            for header, count in (("Record supports", record.supported), ("No messages", record.no_messages)):
                assert len(verdicts_behind(store, str(reason), record.claim, header, NOW)) == count
    columns = loss_checks(NOW.replace(tzinfo=None), {"no_reply": "no reply"}).columns
    assert columns == ("lost_reason", "supported", "contradicted", "no_messages")
    assert "by the messages (our delay): right in" in as_text(figures)
    (said,) = (row["record"] for row in as_json(figures)["lost_reasons"] if row["reason"] == "our_delay")
    assert said["supported"] == records["our_delay"].supported
