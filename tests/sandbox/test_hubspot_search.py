"""Searching in HubSpot's dialect: filters, order, paging and the walls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asking import DATED, Asker, Json, ids, ms, only, search_body

from holdwater.sandbox import Business, Deal


@pytest.fixture(scope="module")
def ask(simulated: Business) -> Asker:
    return Asker(simulated)


def test_a_search_finds_what_changed_in_a_window(ask: Asker) -> None:
    low, high = ask.business.now - timedelta(days=60), ask.business.now - timedelta(days=30)
    expected = {one.id for one in ask.business.deals.values() if low <= one.modified < high}
    assert len(expected) > 100
    filters = [
        {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": ms(low)},
        {"propertyName": "hs_lastmodifieddate", "operator": "LT", "value": high.isoformat()},
    ]
    found: list[str] = []
    after = "0"
    while after:
        status, answer = ask.search(
            filterGroups=[{"filters": filters}], sorts=["hs_lastmodifieddate"], limit=50, after=after
        )
        assert (status, answer["total"]) == (200, len(expected))
        found += ids(answer)
        after = answer.get("paging", {"next": {"after": ""}})["next"]["after"]
    assert set(found) == expected
    assert len(found) == len(expected)
    moments = [ask.business.deals[one].modified for one in found]
    assert moments == sorted(moments)


@pytest.mark.parametrize(
    ("name", "operator", "values"),
    [
        ("dealstage", "EQ", {"value": "closedwon"}),
        ("dealstage", "NEQ", {"value": "closedwon"}),
        ("amount", "LT", {"value": "1200"}),
        ("amount", "LTE", {"value": "1200.00"}),
        ("amount", "GT", {"value": "1600"}),
        ("amount", "GTE", {"value": "1598.40"}),
        ("amount", "BETWEEN", {"value": "1400", "highValue": "1500"}),
        ("hs_object_id", "GT", {"value": "9998"}),
        ("hs_analytics_source", "IN", {"values": ["REFERRALS", "PAID_SEARCH"]}),
        ("hs_analytics_source", "NOT_IN", {"values": ["REFERRALS", "PAID_SEARCH"]}),
        ("hs_analytics_source", "HAS_PROPERTY", {}),
        ("hs_analytics_source", "NOT_HAS_PROPERTY", {}),
    ],
)
def test_operators(ask: Asker, name: str, operator: str, values: Json) -> None:
    value = values.get("value")
    field: dict[str, Callable[[Deal], Any]] = {
        "dealstage": lambda one: one.stage_id,
        "amount": lambda one: float(one.amount),
        "hs_object_id": lambda one: int(one.id),
        "hs_analytics_source": lambda one: one.source,
    }
    number = name in ("amount", "hs_object_id")
    given: Any = float(value) if number and value else value
    high = float(values.get("highValue", 0))
    tests: dict[str, Callable[[Any], bool]] = {
        "EQ": lambda x: x == given,
        "NEQ": lambda x: x is not None and x != given,
        "LT": lambda x: x < given,
        "LTE": lambda x: x <= given,
        "GT": lambda x: x > given,
        "GTE": lambda x: x >= given,
        "BETWEEN": lambda x: given <= x <= high,
        "IN": lambda x: x in values["values"],
        "NOT_IN": lambda x: x is not None and x not in values["values"],
        "HAS_PROPERTY": lambda x: x is not None,
        "NOT_HAS_PROPERTY": lambda x: x is None,
    }
    expected = sum(bool(tests[operator](field[name](one))) for one in ask.business.deals.values())
    assert 0 < expected < len(ask.business.deals)
    status, answer = ask.search(filterGroups=only(name, operator, **values), limit=1)
    assert (status, answer["total"]) == (200, expected)


def test_groups_are_alternatives_and_filters_add_up(ask: Asker) -> None:
    won = {"propertyName": "hs_is_closed_won", "operator": "EQ", "value": "true"}
    referred = {"propertyName": "hs_analytics_source", "operator": "EQ", "value": "REFERRALS"}
    deals = ask.business.deals.values()
    both = sum(one.status == "won" and one.source == "REFERRALS" for one in deals)
    either = sum(one.status == "won" or one.source == "REFERRALS" for one in deals)
    assert ask.search(filterGroups=[{"filters": [won, referred]}])[1]["total"] == both
    assert ask.search(filterGroups=[{"filters": [won]}, {"filters": [referred]}])[1]["total"] == either


def test_ids_sort_as_text_and_numbers_as_numbers(ask: Asker) -> None:
    everything = list(ask.business.deals)
    texts = [ids(ask.search(sorts=sorts)[1]) for sorts in (["hs_object_id"], [{"propertyName": "hs_object_id"}])]
    assert texts[0] == texts[1] == sorted(everything)[:200] != everything[:200]
    down = [{"propertyName": "amount", "direction": "DESCENDING"}]
    for sorts in (["-amount"], down):
        rows = ask.search(sorts=sorts, properties=["amount"])[1]["results"]
        amounts = [float(row["properties"]["amount"]) for row in rows]
        assert amounts == sorted(amounts, reverse=True)
        assert amounts[0] == max(float(one.amount) for one in ask.business.deals.values())


def test_what_is_not_set_sorts_last(ask: Asker) -> None:
    path = f"{DATED}/contacts/search"
    total = len(ask.business.contacts)
    end = str(total - 10)
    for sorts in (["hs_analytics_source"], ["-hs_analytics_source"]):
        rows = ask.search(path, sorts=sorts, properties=["hs_analytics_source"], limit=10, after=end)[1]["results"]
        assert [row["properties"]["hs_analytics_source"] for row in rows] == [None] * 10


def test_the_wall_that_no_search_passes(simulated: Business) -> None:
    ask = Asker(simulated, search_cap=1000)
    status, page = ask.search(after="800")
    assert (status, len(page["results"]), page["total"]) == (200, 200, len(simulated.deals))
    assert page["paging"]["next"]["after"] == "1000"
    assert ask.search(after="1000")[0] == 400
    assert ask.search(after="801")[0] == 400
    assert ask.search(after="990", limit=10)[0] == 200
    status, error = Asker(simulated).search(after="9801")
    assert (status, error["category"]) == (400, "VALIDATION_ERROR")
    assert Asker(simulated).search(after="9800")[0] == 200


@pytest.mark.parametrize("name", ["filterGroups", "sorts", "properties", "limit", "after"])
def test_the_dated_search_wants_its_whole_body(ask: Asker, name: str) -> None:
    body = search_body()
    del body[name]
    status, error = ask("POST", f"{DATED}/deals/search", body)
    assert (status, error["category"]) == (400, "VALIDATION_ERROR")
    assert name in error["message"]
    assert ask("POST", "/crm/v3/objects/deals/search", body)[0] == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"limit": 201},
        {"limit": 0},
        {"limit": "10"},
        {"limit": True},
        {"after": 0},
        {"after": "x"},
        {"after": None},
        {"query": "acme"},
        {"properties": "amount"},
        {"properties": [1]},
        {"sorts": "amount"},
        {"sorts": ["nonsense"]},
        {"sorts": ["amount", "pipeline"]},
        {"sorts": [1]},
        {"filterGroups": {}},
        {"filterGroups": ["amount"]},
        {"filterGroups": [{"filters": "amount"}]},
        {"filterGroups": only("nonsense", "EQ", value="1")},
        {"filterGroups": only("amount", "LIKE", value="1")},
        {"filterGroups": only("amount", "EQ", value="many")},
        {"filterGroups": only("amount", "EQ", value=1)},
        {"filterGroups": only("amount", "EQ")},
        {"filterGroups": only("amount", "BETWEEN", value="1")},
        {"filterGroups": only("amount", "IN", value="1")},
        {"filterGroups": only("createdate", "GTE", value="yesterday")},
        {"filterGroups": only("createdate", "GTE", value="9" * 30)},
        {"filterGroups": only("amount", "HAS_PROPERTY") * 6},
        {"filterGroups": [{"filters": only("amount", "HAS_PROPERTY")[0]["filters"] * 11}]},
        {"filterGroups": [{"filters": only("amount", "HAS_PROPERTY")[0]["filters"] * 6}] * 5},
    ],
)
def test_a_search_refuses_what_hubspot_refuses(ask: Asker, changes: Json) -> None:
    status, error = ask.search(**changes)
    assert (status, error["category"]) == (400, "VALIDATION_ERROR")


def test_the_most_that_a_search_may_ask(ask: Asker) -> None:
    one = only("amount", "HAS_PROPERTY")[0]["filters"]
    assert ask.search(filterGroups=[{"filters": one * 5}] * 5)[0] == 200
    assert ask.search(filterGroups=[{"filters": one * 10}])[0] == 200
