from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import customers_by_hand
import pytest
from random_books import NOW, START, VERSION, books

from holdwater.crm.connector import Page
from holdwater.crm.records import Activity, Customer, Deal, Lead, Record, Stage, StageEvent
from holdwater.metrics.customer_figures import Share
from holdwater.metrics.figures import Report
from holdwater.metrics.reporting import report
from holdwater.store.database import Store


def reported(folder: Path, records: list[Record], as_of: datetime = NOW) -> Report:
    with Store.open(folder / "holdwater.db") as store:
        store.keep("a", Page("any", records))
        return report(store, as_of=as_of)


def after(days: float) -> datetime:
    return START + timedelta(days=days)


@pytest.mark.repeats
@pytest.mark.parametrize(("seed", "leads"), [(4, 150), (0, 0), (1, 1), (2, 5), (3, 40), (5, 400)])
def test_every_figure_equals_the_one_computed_record_by_record(tmp_path: Path, seed: int, leads: int) -> None:
    records = books(seed, leads)
    found = reported(tmp_path, records)
    expected = customers_by_hand.figures(records, NOW, found.judged_after_days)
    different = {name: (getattr(found, name), e) for name, e in expected.items()
                 if not customers_by_hand.same(getattr(found, name), e)}  # fmt: skip
    assert different == {}


def test_a_cohort_counts_only_those_old_enough_for_each_age(tmp_path: Path) -> None:
    def customer(id: str, began: float, ended: float | None) -> Customer:
        return Customer(id=id, started_at=after(began), updated_at=VERSION,
                        ended_at=None if ended is None else after(ended))  # fmt: skip

    found = reported(
        tmp_path,
        [customer("1", 0, 40), customer("2", 0, None), customer("3", 29, None), customer("4", 35, None)],
        after(61),
    )
    january, february = found.cohorts
    assert (january.month, january.customers) == (date(2025, 1, 1), 3)
    # The second renewal is due on day 60.875; who came on day 29 has had one only.
    assert january.survivors == (Share(count=3, of=3), Share(count=3, of=3), Share(count=1, of=2))
    assert february.survivors == (Share(count=1, of=1),)
    assert [(m.new, m.lost, m.churned, m.complete) for m in found.customer_months] == [
        (3, 0, Share(count=0, of=0), True),
        (1, 1, Share(count=1, of=3), True),
        (0, 0, Share(count=0, of=3), False),
    ]


def test_time_in_a_stage_takes_open_deals_for_what_they_are(tmp_path: Path) -> None:
    records: list[Record] = [
        Stage(id="s", pipeline_id="p", label="Offer", position=0, closed=False, won=False, updated_at=VERSION)
    ]
    # Two left after 10 and 20 days, two are still there after 30: without those the median would be 15.
    for id, days in (("1", 10), ("2", 20), ("3", None), ("4", None)):
        records += [
            StageEvent(id=id, deal_id=id, stage_id="s", entered_at=after(0), updated_at=VERSION),
            Deal(id=id, status="lost" if days else "open", created_at=after(0), updated_at=VERSION,
                 closed_at=after(days) if days else None),
        ]  # fmt: skip
    (time,) = reported(tmp_path, records, after(30)).stage_times
    assert (time.stage, time.visits, time.left, time.days_p50, time.days_p90) == ("Offer", 4, 2, 20.0, None)


def test_the_first_answer_may_come_through_the_deal_and_a_note_is_none(tmp_path: Path) -> None:
    def activity(id: str, kind: str, hours: float, **to: str) -> Activity:
        return Activity(id=id, kind=kind, direction="out", occurred_at=after(hours / 24), updated_at=VERSION, **to)  # type: ignore[arg-type] # a word of the kinds

    found = reported(
        tmp_path,
        [
            *(Lead(id=id, created_at=after(0), updated_at=VERSION) for id in "123"),
            Deal(id="d", status="open", created_at=after(0), updated_at=VERSION, lead_id="1"),
            activity("a", "call", 0.5, deal_id="d"),
            activity("b", "note", 0.1, lead_id="2"),
            activity("c", "email", 3, lead_id="2"),
        ],
        after(31),
    ).first_response
    assert found is not None
    assert (found.leads, found.answered, found.hours_p50) == (3, 2, 1.75)
    assert (found.within_hour, found.never) == (Share(count=1, of=3), Share(count=1, of=3))


def test_without_any_outbound_contact_nobody_is_said_to_be_unanswered(tmp_path: Path) -> None:
    found = reported(
        tmp_path, [Lead(id="1", created_at=after(0), updated_at=VERSION)], datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert found.first_response is None
    assert found.worked is not None
    assert not found.worked.contacts_kept
