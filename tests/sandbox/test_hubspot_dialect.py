"""HubSpot's dialect, asked without a network: shapes, limits and refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from asking import DATED, TOKEN, Asker, ids, ms, only, search_body

from holdwater.sandbox import Business, rate_limited
from holdwater.sandbox.hubspot import HubSpot


@pytest.fixture(scope="module")
def ask(simulated: Business) -> Asker:
    return Asker(simulated)


# Lists


@pytest.mark.parametrize("kind", ["contacts", "deals"])
def test_a_list_pages_through_everything_in_the_order_of_ids(ask: Asker, kind: str) -> None:
    pages = list(ask.pages(f"{DATED}/{kind}", limit=100))
    assert [len(page["results"]) for page in pages[:-1]] == [100] * (len(pages) - 1)
    listed = [one for page in pages for one in ids(page)]
    assert listed == list(getattr(ask.business, kind))


def test_the_last_page_has_no_cursor_even_when_it_is_full(small: Business) -> None:
    ask = Asker(small)
    assert "paging" not in ask.good("GET", f"{DATED}/deals", limit=len(small.deals))
    assert "paging" in ask.good("GET", f"{DATED}/deals", limit=len(small.deals) - 1)


def test_a_link_leads_to_the_next_page_of_the_same_query(ask: Asker) -> None:
    page = ask.good("GET", f"{DATED}/deals", limit=2, properties="amount,pipeline", after="7002")
    assert ids(page) == ["7003", "7004"]
    link = "http://127.0.0.1:1/crm/objects/2026-09/deals?limit=2&properties=amount%2Cpipeline&after=7004"
    assert page["paging"] == {"next": {"after": "7004", "link": link}}


def test_without_properties_come_the_vendors_own(ask: Asker) -> None:
    deal = ask.good("GET", f"{DATED}/deals/7001")
    assert set(deal["properties"]) == {
        *("amount", "closedate", "createdate", "dealname", "dealstage"),
        *("hs_lastmodifieddate", "hs_object_id", "pipeline"),
    }
    contact = ask.good("GET", f"{DATED}/contacts", limit=1)["results"][0]
    expected = {"createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"}
    assert set(contact["properties"]) == expected
    assert set(contact) == {"id", "properties", "createdAt", "updatedAt", "archived"}


def test_properties_come_with_commas_or_repeated_and_unknown_ones_do_not_come(ask: Asker) -> None:
    always = {"createdate", "hs_lastmodifieddate", "hs_object_id"}
    for properties in ("amount,nonsense,pipeline", ["amount", "nonsense", "pipeline"]):
        deal = ask.good("GET", f"{DATED}/deals/7001", properties=properties)
        assert set(deal["properties"]) == always | {"amount", "pipeline"}
    assert set(ask.good("GET", f"{DATED}/deals/7001", properties="nonsense")["properties"]) == always


def test_a_known_property_without_a_value_is_null(ask: Asker) -> None:
    contacts = ask.business.contacts.values()
    unrecorded = next(one for one in contacts if one.source is None and one.opted_out is None)
    names = "hs_analytics_source,hs_email_optout"
    contact = ask.good("GET", f"{DATED}/contacts/{unrecorded.id}", properties=names)
    assert contact["properties"]["hs_analytics_source"] is None
    assert contact["properties"]["hs_email_optout"] is None


def test_every_value_is_text_or_null(ask: Asker) -> None:
    for kind in ("contacts", "deals"):
        names = "amount,closedate,hs_is_closed,hs_email_optout,hs_object_id,hubspot_owner_id,hs_analytics_source"
        for row in ask.good("GET", f"{DATED}/{kind}", limit=100, properties=names)["results"]:
            assert all(value is None or isinstance(value, str) for value in row["properties"].values())


def test_an_open_deal_has_the_date_it_is_expected_to_close(ask: Asker) -> None:
    deal = next(one for one in ask.business.deals.values() if one.status == "open")
    shown = ask.good("GET", f"{DATED}/deals/{deal.id}", properties="closedate,hs_is_closed")["properties"]
    assert shown["closedate"] == deal.expected_close.strftime("%Y-%m-%dT00:00:00.000Z")
    assert shown["hs_is_closed"] == "false"


def test_past_values_come_newest_first_and_halve_the_page(ask: Asker) -> None:
    deal = next(one for one in ask.business.deals.values() if one.status == "won")
    names = "dealstage,closedate,amount,closed_lost_reason,nonsense"
    shown = ask.good("GET", f"{DATED}/deals/{deal.id}", propertiesWithHistory=names)["propertiesWithHistory"]
    assert [(one["value"], one["timestamp"]) for one in shown["dealstage"]] == [
        (stage, at.isoformat(timespec="milliseconds").replace("+00:00", "Z")) for at, stage in deal.stage_history[::-1]
    ]
    assert [one["value"][:10] for one in shown["closedate"]] == [
        str(moment.date()) for moment in (deal.closed, deal.expected_close) if moment
    ]
    assert shown["amount"] == [
        {"value": deal.amount, "timestamp": shown["dealstage"][-1]["timestamp"], "sourceType": "CRM_UI"}
    ]
    assert shown["closed_lost_reason"] == []
    assert "nonsense" not in shown
    assert ask("GET", f"{DATED}/deals", limit=51, propertiesWithHistory="amount")[0] == 400
    assert ask("GET", f"{DATED}/deals", limit=50, propertiesWithHistory="amount")[0] == 200


def test_associations_come_with_a_list(ask: Asker) -> None:
    for row in ask.good("GET", f"{DATED}/deals", limit=100, associations="contacts")["results"]:
        contact_id = ask.business.deals[row["id"]].contact_id
        expected = {"contacts": {"results": [{"id": contact_id, "type": "deal_to_contact"}]}}
        assert row["associations"] == expected
    rows = ask.good("GET", f"{DATED}/contacts", limit=100, associations="deals,companies")["results"]
    linked = {row["id"]: row.get("associations") for row in rows}
    assert None in linked.values()
    for contact_id, found in linked.items():
        deals = [one.id for one in ask.business.deals.values() if one.contact_id == contact_id]
        results = [{"id": one, "type": "contact_to_deal"} for one in deals]
        assert found == ({"deals": {"results": results}} if deals else None)


def test_archived_records_are_a_pass_of_their_own(small: Business) -> None:
    ask = Asker(small)
    deal_id, contact_id = next((one.id, str(one.contact_id)) for one in small.deals.values())
    small.archive_deal(deal_id, small.now + timedelta(seconds=1))
    assert deal_id not in ids(ask.good("GET", f"{DATED}/deals", limit=100))
    archived = ask.good("GET", f"{DATED}/deals", archived="true")
    assert ids(archived) == [deal_id]
    assert archived["results"][0]["archived"] is True
    assert archived["results"][0]["archivedAt"] == small.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert ask("GET", f"{DATED}/deals/{deal_id}")[0] == 404
    assert ask("GET", f"{DATED}/deals/{deal_id}", archived="true")[0] == 200
    assert deal_id not in ids(ask.search()[1])
    assert "associations" not in ask.good("GET", f"{DATED}/contacts/{contact_id}", associations="deals")
    assert ids(ask("POST", f"{DATED}/deals/batch/read", {"inputs": [{"id": deal_id}]}, archived="true")[1]) == [deal_id]


def test_a_change_shows_at_once(small: Business) -> None:
    ask = Asker(small)
    deal = small.open_deal(None)
    path, names = f"{DATED}/deals/{deal.id}", "hs_is_closed_won,dealstage"
    assert ask.good("GET", path, properties=names)["properties"]["hs_is_closed_won"] == "false"
    small.win(deal.id, small.now + timedelta(hours=1))
    shown = ask.good("GET", path, properties=names)
    assert shown["properties"]["hs_is_closed_won"] == "true"
    assert shown["updatedAt"] == small.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    since = only("hs_lastmodifieddate", "GTE", value=ms(small.now))
    assert ids(ask.search(filterGroups=since)[1]) == [deal.id]


@pytest.mark.parametrize("query", ["limit=101", "limit=0", "limit=ten", "after=x", "archived=both", "limit=-1"])
def test_a_list_refuses_what_hubspot_refuses(ask: Asker, query: str) -> None:
    name, _, value = query.partition("=")
    status, error = ask("GET", f"{DATED}/deals", **{name: value})
    assert (status, error["category"]) == (400, "VALIDATION_ERROR")
    assert name in error["message"]


# Batches


def test_a_batch_reads_by_id_in_no_promised_order(ask: Asker) -> None:
    body = {"inputs": [{"id": "7009"}, {"id": "7003"}, {"id": "7009"}], "properties": ["amount"]}
    answer = ask.good("POST", f"{DATED}/deals/batch/read", body)
    assert ids(answer) == ["7003", "7009"]
    assert answer["status"] == "COMPLETE"
    assert answer["results"][0]["properties"]["amount"] == ask.business.deals["7003"].amount


def test_a_batch_says_which_ids_do_not_exist(ask: Asker) -> None:
    status, answer = ask("POST", f"{DATED}/deals/batch/read", {"inputs": [{"id": "7001"}, {"id": "99"}, {"id": "101"}]})
    assert (status, ids(answer), answer["numErrors"]) == (207, ["7001"], 1)
    assert answer["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    assert answer["errors"][0]["context"] == {"ids": ["99", "101"]}


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"inputs": []},
        {"inputs": "7001"},
        {"inputs": ["7001"]},
        {"inputs": [{"id": 7001}]},
        {"inputs": [{"id": "x"}]},
        {"inputs": [{"id": "7001"}] * 101},
        {"inputs": [{"id": "7001"}] * 51, "propertiesWithHistory": ["amount"]},
        {"inputs": [{"id": "7001"}], "properties": "amount"},
    ],
)
def test_a_batch_refuses_what_hubspot_refuses(ask: Asker, body: object) -> None:
    status, error = ask("POST", f"{DATED}/deals/batch/read", body)
    assert (status, error["category"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", ["/crm/associations/2026-09", "/crm/v4/associations"])
def test_associations_of_a_batch(ask: Asker, path: str) -> None:
    answer = ask.good("POST", f"{path}/deals/contacts/batch/read", {"inputs": [{"id": "7001"}]})
    contact = ask.business.deals["7001"].contact_id
    types = [{"category": "HUBSPOT_DEFINED", "typeId": 3, "label": None}]
    assert answer["results"] == [
        {"from": {"id": "7001"}, "to": [{"toObjectId": int(str(contact)), "associationTypes": types}]}
    ]
    assert answer["status"] == "COMPLETE"
    back = ask.good("POST", f"{path}/contacts/deals/batch/read", {"inputs": [{"id": contact}]})
    assert back["results"][0]["to"][0]["toObjectId"] == 7001
    assert back["results"][0]["to"][0]["associationTypes"][0]["typeId"] == 4
    assert ask("POST", f"{path}/deals/contacts/batch/read", {"inputs": [{"id": "7001"}] * 1000})[0] == 200
    assert ask("POST", f"{path}/deals/contacts/batch/read", {"inputs": [{"id": "7001"}] * 1001})[0] == 400


def test_associations_of_the_old_kind(ask: Asker) -> None:
    path = "/crm/v3/associations/deals/contacts/batch/read"
    answer = ask.good("POST", path, {"inputs": [{"id": "7001"}]})
    to = [{"id": ask.business.deals["7001"].contact_id, "type": "deal_to_contact"}]
    assert answer["results"] == [{"from": {"id": "7001"}, "to": to}]
    assert ask("POST", path, {"inputs": [{"id": "7001"}] * 101})[0] == 400


def test_a_record_that_nothing_belongs_to_is_named_in_a_207(small: Business) -> None:
    ask, deal = Asker(small), small.open_deal(None)
    path = "/crm/associations/2026-09/deals/contacts/batch/read"
    status, answer = ask("POST", path, {"inputs": [{"id": deal.id}, {"id": "7001"}]})
    assert (status, answer["numErrors"]) == (207, 1)
    assert [one["from"]["id"] for one in answer["results"]] == ["7001"]
    assert answer["errors"][0]["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert answer["errors"][0]["context"]["fromObjectId"] == [deal.id]


# Pipelines and owners


@pytest.mark.parametrize("path", ["/crm/pipelines/2026-09", "/crm/v3/pipelines"])
@pytest.mark.parametrize("name", ["deals", "deal", "0-3"])
def test_pipelines(ask: Asker, path: str, name: str) -> None:
    (pipeline,) = ask.good("GET", f"{path}/{name}")["results"]
    assert (pipeline["id"], pipeline["label"]) == ("default", "Simulated sales")
    assert {stage["id"]: stage["metadata"] for stage in pipeline["stages"]} == {
        "qualifiedtobuy": {"isClosed": "false", "probability": "0.2"},
        "contractsent": {"isClosed": "false", "probability": "0.6"},
        "closedwon": {"isClosed": "true", "probability": "1.0"},
        "closedlost": {"isClosed": "true", "probability": "0.0"},
    }
    assert ask("GET", f"{path}/contacts")[0] == 400


@pytest.mark.parametrize("path", ["/crm/owners/2026-09", "/crm/v3/owners", "/crm/v3/owners/"])
def test_owners(ask: Asker, path: str) -> None:
    pages = list(ask.pages(path, limit=2))
    assert [ids(page) for page in pages] == [["301", "302"], ["303"]]
    (gone,) = ask.good("GET", path, archived="true")["results"]
    assert (gone["id"], gone["archived"], gone["userId"]) == ("304", True, None)
    owners = {contact.owner_id for contact in ask.business.contacts.values()}
    assert owners == {"301", "302", "303"}
    assert ask("GET", path, limit=501)[0] == 400


# The account


ACCOUNT = "/account-info/2026-09/details"


def test_the_account_has_every_field_that_hubspot_promises(ask: Asker) -> None:
    assert ask.good("GET", ACCOUNT) == {
        "portalId": 1_000_001,
        "accountType": "SANDBOX",
        "timeZone": "UTC",
        "companyCurrency": "USD",
        "additionalCurrencies": [],
        "utcOffset": "+00:00",
        "utcOffsetMilliseconds": 0,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "na1",
    }


def test_the_account_is_the_one_it_is_told_to_be(small: Business) -> None:
    business = Business(replace(small.truth, currency="EUR"), small.start)
    hubspot = HubSpot(business, token=TOKEN, portal_id=77)
    account = hubspot.answer("GET", ACCOUNT, "", b"", {"authorization": f"Bearer {TOKEN}"}).body
    assert (account["portalId"], account["companyCurrency"]) == (77, "EUR")


def test_a_wrong_token_has_no_account(ask: Asker) -> None:
    assert ask("GET", ACCOUNT, token="wrong")[0] == 401


# Everything


def test_the_dated_and_the_old_paths_answer_alike(ask: Asker) -> None:
    batch = {"inputs": [{"id": "7001"}, {"id": "7002"}], "properties": ["amount"]}
    old = {
        "/crm/objects/2026-09": "/crm/v3/objects",
        "/crm/pipelines/2026-09": "/crm/v3/pipelines",
        "/crm/owners/2026-09": "/crm/v3/owners",
        "/crm/associations/2026-09": "/crm/v4/associations",
        "/account-info/2026-09": "/account-info/v3",
    }
    for method, path, body in (
        ("GET", "/crm/objects/2026-09/contacts", None),
        ("GET", "/crm/objects/2026-09/deals", None),
        ("GET", "/crm/objects/2026-09/0-1", None),
        ("GET", "/crm/objects/2026-09/0-3/7001", None),
        ("POST", "/crm/objects/2026-09/deals/batch/read", batch),
        ("POST", "/crm/objects/2026-09/deals/search", search_body(sorts=["amount"], properties=["amount"])),
        ("POST", "/crm/associations/2026-09/deals/contacts/batch/read", batch),
        ("GET", "/crm/pipelines/2026-09/deals", None),
        ("GET", "/crm/owners/2026-09", None),
        ("GET", "/account-info/2026-09/details", None),
    ):
        dated, version = next((new, former) for new, former in old.items() if path.startswith(new))
        first, second = ask.good(method, path, body), ask.good(method, path.replace(dated, version), body)
        assert json.dumps(first) == json.dumps(second).replace(version, dated)


@pytest.mark.parametrize("code", [("0-1", "contacts"), ("0-3", "deals"), ("contact", "contacts"), ("deal", "deals")])
def test_types_have_more_than_one_name(ask: Asker, code: tuple[str, str]) -> None:
    assert ids(ask.good("GET", f"{DATED}/{code[0]}")) == ids(ask.good("GET", f"{DATED}/{code[1]}"))


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1]])
def test_a_wrong_token_opens_nothing(ask: Asker, token: str) -> None:
    status, error = ask("GET", f"{DATED}/deals", token=token)
    assert status == 401
    assert set(error) == {"status", "message", "correlationId", "category"}
    assert (error["status"], error["category"]) == ("error", "INVALID_AUTHENTICATION")
    assert TOKEN not in json.dumps(error)


def test_no_token_opens_nothing(simulated: Business) -> None:
    answer = HubSpot(simulated, token=TOKEN).answer("GET", f"{DATED}/deals", "", b"", {})
    assert answer.status == 401


@pytest.mark.parametrize(
    ("method", "path", "status", "category"),
    [
        ("GET", f"{DATED}/deals/1", 404, "OBJECT_NOT_FOUND"),
        ("GET", f"{DATED}/deals/x/y", 404, "OBJECT_NOT_FOUND"),
        ("GET", "/crm/objects/2019-01/deals", 404, "OBJECT_NOT_FOUND"),
        ("GET", f"{DATED}/companies", 400, "VALIDATION_ERROR"),
        ("POST", "/crm/v4/associations/deals/companies/batch/read", 400, "VALIDATION_ERROR"),
        ("GET", "/account-info/2026-09/nothing", 404, "OBJECT_NOT_FOUND"),
        ("POST", "/account-info/2026-09/details", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", f"{DATED}/deals/7001", 405, "METHOD_NOT_ALLOWED"),
        ("PATCH", f"{DATED}/deals/7001", 405, "METHOD_NOT_ALLOWED"),
        ("POST", f"{DATED}/deals", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_refusals_have_hubspots_shape(ask: Asker, method: str, path: str, status: int, category: str) -> None:
    found, error = ask(method, path)
    assert (found, error["status"], error["category"]) == (status, "error", category)
    assert error["message"]
    assert error["correlationId"] == ask(method, path)[1]["correlationId"]


def test_the_limit_stands_in_every_answer_but_a_searchs(ask: Asker) -> None:
    ask.good("GET", f"{DATED}/deals")
    assert ask.headers["x-hubspot-ratelimit-interval-milliseconds"] == "10000"
    assert int(ask.headers["x-hubspot-ratelimit-remaining"]) < int(ask.headers["x-hubspot-ratelimit-max"])
    ask.search()
    assert ask.headers == {}
    ask.search(limit=0)
    assert ask.headers == {}


def test_the_refusal_of_one_request_too_many() -> None:
    status, headers, content = rate_limited("DAILY", retry_after=3)
    body = json.loads(content)
    assert (status, headers["Retry-After"]) == (429, "3")
    assert (body["status"], body["errorType"], body["policyName"]) == ("error", "RATE_LIMIT", "DAILY")
    assert "Retry-After" not in rate_limited()[1]
    assert json.loads(rate_limited()[2])["policyName"] == "SECONDLY"
