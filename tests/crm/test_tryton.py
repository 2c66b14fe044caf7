"""The Tryton connector: what it asks, and what it makes of the answers. A real server is in tests/whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import tryton_double as double
from tryton_double import END, at, moment, result
from tryton_reader import LATER, gone, opened, read, records

from holdwater.crm.connector import Gone, Reconcilable
from holdwater.crm.records import Deal, Lead, Money, Owner, Record, Stage
from holdwater.errors import BadAnswerError
from holdwater.store.database import Store
from holdwater.store.sync import sync


@pytest.fixture
def server() -> double.Tryton:
    return double.Tryton()


# What the recorded answers become


def test_the_recorded_answers_become_records(server: double.Tryton) -> None:
    pages = read(server)
    owners: list[Record] = [Owner(id="1", updated_at=at(1, 24, 10, 142350))]
    assert list(records(pages, "owners").values()) == owners
    assert records(pages, "leads") == {
        "1": Lead(id="1", created_at=at(1, 24, 59, 663331), updated_at=at(1, 25, 37, 121742), owner_id="1"),
        "2": Lead(id="2", created_at=at(1, 24, 59, 774103), updated_at=at(1, 25, 1, 197229), owner_id="1"),
        "3": Lead(id="3", created_at=at(1, 24, 59, 885333), updated_at=at(1, 25, 0, 150080), owner_id="1"),
    }
    deals = records(pages, "deals")
    assert deals["1"] == Deal(
        id="1",
        status="won",
        created_at=at(1, 24, 59, 663331),
        updated_at=at(1, 25, 37, 121742),
        lead_id="1",
        closed_at=at(1, 25, 37, 121742),
        amount=Money(0, "EUR", "0.00"),
        pipeline_id="sale.opportunity",
        stage_id="won",
        owner_id="1",
    )
    assert deals["2"] == Deal(
        id="2",
        status="lost",
        created_at=at(1, 24, 59, 774103),
        updated_at=at(1, 25, 1, 197229),
        lead_id="2",
        closed_at=at(1, 25, 1, 197229),
        amount=Money(500, "JPY", "500"),
        pipeline_id="sale.opportunity",
        stage_id="lost",
        owner_id="1",
        lost_reason="too_dear",
        lost_reason_raw="Too dear",
    )
    assert (deals["3"].status, deals["3"].amount, deals["3"].closed_at) == ("open", None, None)
    assert [(e.deal_id, e.stage_id, e.entered_at) for e in records(pages, "stage_events").values()] == [
        ("1", "lead", at(1, 24, 59, 663331)),
        ("1", "opportunity", at(1, 25, 0, 150080)),
        ("1", "converted", at(1, 25, 0, 561439)),
        ("1", "won", at(1, 25, 37, 121742)),
        ("2", "lead", at(1, 24, 59, 774103)),
        ("2", "lost", at(1, 25, 1, 197229)),
        ("3", "lead", at(1, 24, 59, 885333)),
        ("3", "opportunity", at(1, 25, 0, 150080)),
    ]


def test_the_stages_are_the_states(server: double.Tryton) -> None:
    stages: list[Stage] = list(records(read(server), "stages").values())
    assert [(stage.id, stage.closed, stage.won) for stage in stages] == [
        ("lead", False, False),
        ("opportunity", False, False),
        ("converted", False, False),
        ("won", True, True),
        ("lost", True, False),
        ("cancelled", True, False),
    ]


@pytest.mark.parametrize(
    ("state", "status"), [("lead", "open"), ("converted", "open"), ("won", "won"), ("cancelled", "lost")]
)
def test_a_quotation_is_no_sale_and_what_was_called_off_is_lost(state: str, status: str, server: double.Tryton) -> None:
    server.add(4, (at(1), "lead", None), (at(2, day=21), state, None))
    assert records(read(server), "deals")["4"].status == status


def test_a_reason_counts_only_where_something_was_lost(server: double.Tryton) -> None:
    server.add(4, (at(1), "lost", None), (at(1, 5), "lead", None), lost_reason="Too dear")
    server.add(5, (at(1), "lead", None), (at(1, 5), "lost", None), lost_reason=" \n")
    deals = records(read(server), "deals")
    assert [(deals[id_].lost_reason, deals[id_].lost_reason_raw) for id_ in "45"] == [(None, None)] * 2


def test_one_that_came_back_was_closed_when_it_closed_last(server: double.Tryton) -> None:
    past = [(at(1, minute), state, None) for minute, state in enumerate(["lead", "lost", "lead", "lost", "lost"])]
    server.add(4, *past)
    pages = read(server)
    assert records(pages, "deals")["4"].closed_at == at(1, 3)
    events = [e.entered_at for e in records(pages, "stage_events").values() if e.deal_id == "4"]
    assert events == [at(1, 0), at(1, 1), at(1, 2), at(1, 3)]


def test_one_that_was_brought_over_as_closed_has_its_own_dates(server: double.Tryton) -> None:
    dates = {"start_date": {"__class__": "date", "year": 2025, "month": 3, "day": 1}}
    server.add(4, (at(1), "won", None), end_date={"__class__": "date", "year": 2025, "month": 6, "day": 30}, **dates)
    server.add(5, (at(1), "won", None), end_date=None)
    deals = records(read(server), "deals")
    assert deals["4"].created_at == datetime(2025, 3, 1, tzinfo=UTC)
    assert deals["4"].closed_at == datetime(2025, 6, 30, tzinfo=UTC)
    assert deals["5"].closed_at == at(1)


def test_a_start_date_of_the_same_days_says_less_than_the_clock(server: double.Tryton) -> None:
    server.add(4, (at(1), "lead", None), start_date={"__class__": "date", "year": 2026, "month": 11, "day": 21})
    assert records(read(server), "leads")["4"].created_at == at(1)


def test_an_employee_who_left_is_archived(server: double.Tryton) -> None:
    days = [{"__class__": "date", "year": 2026, "month": 11, "day": day} for day in (21, 22)]
    server.employees += [server.employees[0] | {"id": n, "end_date": day} for n, day in enumerate(days, 2)]
    owners = records(read(server), "owners")
    assert [owners[id_].archived for id_ in "123"] == [False, True, False]


# Leads


def test_who_comes_back_is_no_new_lead(server: double.Tryton) -> None:
    server.add(4, (at(1), "lead", 5))
    server.add(5, (at(1), "lead", None))
    pages = read(server)
    assert list(records(pages, "leads")) == ["1", "2", "3", "5"]
    assert gone(pages, "leads") == [Gone("4", "merged", into="1")]
    assert {id_: deal.lead_id for id_, deal in records(pages, "deals").items()} == {
        "1": "1",
        "2": "2",
        "3": "3",
        "4": "1",
        "5": "5",
    }


def test_the_first_is_known_though_it_is_on_another_page_or_has_not_changed(server: double.Tryton) -> None:
    server.add(90, (at(1, 55), "lead", 5))
    for pages in (read(server, at_once=1), read(server, LATER)):
        assert records(pages, "deals")["90"].lead_id == "1"


@pytest.mark.parametrize("how", ["it goes", "it moves to another"])
def test_when_the_first_goes_the_next_one_is_the_lead(how: str, server: double.Tryton) -> None:
    server.add(4, (at(1), "lead", 5))
    server.add(6, (at(1), "lead", 5))
    if how == "it goes":
        server.delete(1, at(1, 59))
    else:
        server.rows[1] |= {"party": 8, "write_date": moment(at(1, 59))}
        server.pasts[1].append((at(1, 59), "won", 8))
    pages = read(server, LATER)
    assert "4" in records(pages, "leads")
    assert [records(pages, "deals")[id_].lead_id for id_ in "46"] == ["4", "4"]
    assert Gone("6", "merged", into="4") in gone(pages, "leads")
    assert (Gone("1", "deleted") in gone(pages, "leads")) == (how == "it goes")


def test_a_lead_that_turns_out_to_be_somebody_known_is_merged(server: double.Tryton) -> None:
    server.add(4, (at(1), "lead", None), (at(1, 55), "lead", 5))
    assert Gone("4", "merged", into="1") in gone(read(server, LATER), "leads")


def test_parties_that_were_merged_are_one_lead(server: double.Tryton) -> None:
    """Tryton moves the opportunities of the one to the other without saying that they changed."""
    server.rows[3]["party"] = 5
    server.merged[6] = (5, at(1, 55))
    server.merged[77] = (78, at(1, 30))  # before the last time
    pages = read(server, LATER)
    assert gone(pages, "leads") == [Gone("3", "merged", into="1")]
    assert {id_: deal.lead_id for id_, deal in records(pages, "deals").items()} == {"1": "1", "3": "1"}


@pytest.mark.parametrize("asked", [True, False])
def test_an_address_is_asked_for_only_where_it_can_be_hidden(asked: bool, server: double.Tryton) -> None:
    server.rows[1]["party."] = {"id": 5, "email": "Ada@Example.com"}
    server.rows[3]["party."] = {"id": 6, "email": None}
    pages = read(server, person=(lambda address: address and f"hash of {len(address)}") if asked else None)
    people = {id_: lead.person for id_, lead in records(pages, "leads").items()}
    assert people == {"1": "hash of 15" if asked else None, "2": None, "3": None}
    fields = {field for method, params in server.calls if "search_read" in method for field in params[4]}
    assert ("party.email" in fields) == asked
    assert "Ada" not in repr(pages)


def test_only_what_a_figure_needs_is_asked_for(server: double.Tryton) -> None:
    read(server)
    read(server, LATER)
    fields = {field for method, params in server.calls if "search_read" in method for field in params[4]}
    assert fields == {
        "id",
        "party",
        "employee",
        "create_date",
        "write_date",
        "start_date",
        "end_date",
        "state",
        "amount",
        "currency.code",
        "lost_reason",
        "replaced_by",
    }


# Pages and windows


def test_the_streams_end_with_the_frozen_moment(server: double.Tryton) -> None:
    pages = read(server)
    last = {page.stream: (page.watermark, page.whole, page.last) for page in pages}
    assert last == {
        "owners": (END, True, True),
        "stages": (END, False, False),
        "leads": (END, True, True),
        "deals": (END, True, True),
        "stage_events": (END, False, False),
    }
    assert [page.stream for page in pages if page.watermark] == list(last)


def test_the_window_ends_where_the_first_answer_came(server: double.Tryton) -> None:
    watermarks = set()
    with opened(server) as tryton:
        for page in tryton.pages({}):
            watermarks.add(page.watermark)
            server.date = "Sun, 22 Nov 2026 08:00:00 GMT"  # the clock goes on while the pages are kept
    assert watermarks == {None, END}


def test_no_clock_no_window(server: double.Tryton) -> None:
    server.date = None
    with pytest.raises(BadAnswerError, match="no Date header"):
        read(server)


def test_equal_moments_over_page_boundaries(server: double.Tryton) -> None:
    """A thousand of one moment, and a server that sends fewer at once than it is asked for."""
    for id_ in range(10, 1010):
        server.add(id_, (at(1, 55), "lead", None))
    server.most = 99
    full, changed = read(server, at_once=90), read(server, LATER, at_once=90)
    assert len(records(full, "deals")) == 1003
    assert len(records(changed, "deals")) == 1000


def test_what_changes_while_it_is_read_is_not_missed(server: double.Tryton) -> None:
    for id_ in range(10, 60):
        server.add(id_, (at(1, 55), "lead", None))
    changing = iter(range(10, 60))

    def disturb(method: str, params: list[Any]) -> None:
        id_ = next(changing, None)
        if id_ is not None and method != "common.db.login":
            server.pasts[id_].append((at(1, 59), "lead", None))
            server.rows[id_]["write_date"] = moment(at(1, 59))

    server.instead = disturb
    assert len(records(read(server, LATER, at_once=7), "deals")) == 50


def test_what_never_changed_is_found_by_its_beginning(server: double.Tryton) -> None:
    server.add(4, (at(1, 45), "lead", None))
    server.add(5, (at(1, 35), "lead", None))
    server.add(6, (at(1, 35), "lead", None), (at(1, 45), "lead", None))
    assert list(records(read(server, LATER), "deals")) == ["4", "6"]  # from ten minutes before the last time


@pytest.mark.parametrize("stream", ["leads", "deals", "stage_events"])
def test_a_stream_that_was_not_finished_is_read_whole_with_its_sisters(stream: str, server: double.Tryton) -> None:
    pages = read(server, {name: moment for name, moment in LATER.items() if name != stream})
    assert len(records(pages, "deals")) == 3
    assert any(page.whole for page in pages if page.stream == "deals")


@pytest.mark.parametrize("ids", [[3, 2], [2, 2], [1]])
def test_pages_that_do_not_go_on_are_told(ids: list[int], server: double.Tryton) -> None:
    server.instead = lambda method, params: (
        result([{"id": id_, "party": None} for id_ in ids]) if params[0] == [["id", ">", 1]] else None
    )
    server.most = 1
    with pytest.raises(BadAnswerError, match="wrong order"):
        read(server)


# What went


def test_what_was_deleted_lately_is_gone_wherever_it_was(server: double.Tryton) -> None:
    for id_ in (5, 7, 9, 11):
        server.add(id_, (at(1), "cancelled", None))
    server.delete(5, at(1, 41))  # within the overlap
    server.delete(7, at(1, 39))  # before it, so an earlier sync was told
    server.delete(11, at(1, 59))  # behind the last
    pages = read(server, LATER, at_once=4)
    assert gone(pages, "deals") == gone(pages, "leads") == [Gone("5", "deleted"), Gone("11", "deleted")]


def test_one_whose_transaction_ended_meanwhile_is_not_gone(server: double.Tryton) -> None:
    """Its number was given before the list was made, and it was seen only after."""
    server.add(9, (at(1), "lead", None))
    row = server.add(8, (at(1, 59), "lead", None))
    del server.rows[8]

    def commit(method: str, params: list[Any]) -> None:
        if method.endswith("history_revisions"):
            server.rows[8] = row

    server.instead = commit
    assert gone(read(server, LATER), "deals") == []


def test_the_ids_alone(server: double.Tryton) -> None:
    server.add(4, (at(1), "lead", 5))
    with opened(server) as tryton:
        assert isinstance(tryton, Reconcilable)
        found = {one.stream: (list(one.ids), one.last) for one in tryton.identities()}
    assert found == {"leads": (["1", "2", "3"], True), "deals": (["1", "2", "3", "4"], True)}


def test_a_sync_keeps_it_all_and_again_changes_nothing(server: double.Tryton, tmp_path: Any) -> None:
    server.add(4, (at(1), "lead", 5))
    with Store.open(tmp_path / "store.db") as store:
        with opened(server) as tryton:
            first = sync(tryton, store)
        before = store.checksum()
        with opened(server) as tryton:
            second = sync(tryton, store)
            third = sync(tryton, store, full=True, reconcile=True)
        assert first.rows_written == 1 + 6 + 3 + 4 + 9
        assert [(run.rows_written, run.rows_gone, run.issues) for run in (second, third)] == [(0, 0, 0)] * 2
        assert store.checksum() == before
