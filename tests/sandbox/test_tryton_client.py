"""Tryton's own desktop client, which nobody here wrote, reads the sandbox: every field is the business's.

Of the client its JSON-RPC is run, without the windows around it. (Its other client, proteus, speaks XML-RPC.)
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from holdwater.sandbox import Business
from holdwater.sandbox.records import Deal
from holdwater.sandbox.server import serving
from holdwater.sandbox.tryton import DATABASE, Tryton

PYTHON = Path(__file__).parents[2] / "build" / "tryton" / "bin" / "python"  # .ci/run puts the client there
STATES = {"qualifiedtobuy": "lead", "contractsent": "opportunity", "closedwon": "won", "closedlost": "lost"}
PASSWORD = "only-for-the-sandbox"

# It prints how the moments, days and amounts look that the client makes of the answers.
CLIENT = """
import importlib.util, json, sys, types

package = types.ModuleType("tryton")  # whose own beginning asks for windows
package.__path__ = importlib.util.find_spec("tryton").submodule_search_locations
config = types.ModuleType("tryton.config")
config.CONFIG = {"rpc.cache_size": 100}
sys.modules |= {"tryton": package, "tryton.config": config}
from tryton.jsonrpc import Fault, ServerPool, ServerProxy

class Plain:
    "What the client remembers of servers: that this one has no certificate."
    exists = staticmethod(lambda host: True)
    get = staticmethod(lambda host: "")
    set = staticmethod(lambda host, fingerprint: None)

host, port, database, login, password, asked = json.loads(sys.argv[1])
proxy = ServerProxy(host, port, database, fingerprints=Plain)
user, key, _ = getattr(proxy, "common.db.login")(login, {"password": password}, "en")
proxy.close()
pool = ServerPool(host, port, database, fingerprints=Plain, session=f"{login}:{user}:{key}", cache=True)
said = []
for name, *params in asked:
    with pool() as connection:
        try:
            said.append(getattr(connection, name)(*params))
        except Fault as fault:
            said.append({"fault": [str(fault.faultCode), fault.args]})
pool.close()
print(json.dumps(said, default=repr))
"""


def lacking(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"CI needs {what}")
    pytest.skip(what)


@pytest.fixture
def changed(small: Business) -> Business:
    """With a merge, a deletion, an edit, and a deal of nobody."""
    deals = list(small.deals.values())
    loser, winner = (deal.contact_id for deal in deals[:2])
    assert loser
    assert winner
    later = small.wait_until(small.now + timedelta(hours=1))
    small.deals[deals[5].id] = replace(deals[5], modified=later, amount="0.05")
    small.merge_contacts(loser, winner)
    small.archive_deal(deals[2].id)
    small.open_deal(None)
    return small


def client_asks(business: Business, *asked: Sequence[object], password: str = PASSWORD) -> list[Any]:
    """What the client makes of the answers to methods with these parameters."""
    if not (PYTHON.exists() and any(PYTHON.parents[1].glob("lib/python3*/site-packages/tryton/jsonrpc.py"))):
        lacking("Tryton's desktop client in build/tryton; .ci/run puts it there")
    with serving(business, PASSWORD, Tryton(business, login="reader", password=PASSWORD)) as sandbox:
        host, port = sandbox.url.removeprefix("http://").split(":")
        words = json.dumps([host, int(port), DATABASE, "reader", password, asked])
        done = subprocess.run([PYTHON, "-c", CLIENT, words], capture_output=True, text=True, check=True)
    answers: list[Any] = json.loads(done.stdout)
    return answers


FIELDS = ["party", "employee", "create_date", "write_date", "start_date", "end_date", "state", "amount", "lost_reason",
          "currency.code", "party.email", "description", "number"]  # fmt: skip
MODEL = "model.sale.opportunity"
BY_ID = [["id", "ASC"]]


def changed_at(business: Business, deal: Deal) -> datetime | None:
    """None until the first change; that its party was merged is none."""
    merged = business.contacts[deal.contact_id].merged if deal.contact_id else ()
    merges = [business.contacts[id_].archived for id_ in merged]
    last = deal.stage_history[-1][0] if deal.modified in merges else deal.modified
    return None if last == deal.created else last


def naive(moment: datetime | None) -> str | None:
    """As the client prints a moment of Tryton, which says of no zone: they are all UTC."""
    return None if moment is None else repr(moment.replace(tzinfo=None))


def test_the_client_reads_every_field_of_every_page(changed: Business) -> None:
    size = 20
    pages = [[f"{MODEL}.search_read", [], start, size, BY_ID, FIELDS, {}] for start in range(0, 140, size)]
    count, *answers = client_asks(changed, [f"{MODEL}.search_count", [], {}], *pages)
    rows = [row for answer in answers for row in answer]
    deals = [deal for deal in changed.deals.values() if not deal.archived]
    assert 2 * size < len(deals) == len(rows) == count < 140
    for row, deal in zip(rows, deals, strict=True):
        contact = changed.contacts[deal.contact_id] if deal.contact_id else None
        assert row == {
            "id": int(deal.id) - 7000,
            "number": str(int(deal.id) - 7000),
            "description": deal.name,
            "party": contact and int(contact.id),
            "party.": contact and {"id": int(contact.id), "email": contact.email},
            "employee": int(deal.owner_id),
            "create_date": naive(deal.created),
            "write_date": naive(changed_at(changed, deal)),
            "start_date": repr(deal.created.date()),
            "end_date": repr(deal.closed.date()) if deal.closed else None,
            "state": STATES[deal.stage_id],
            "amount": f"Decimal('{deal.amount}')",
            "currency.": {"id": 1, "code": deal.currency},
            "lost_reason": deal.lost_reason,
        }


def test_the_client_reads_the_past(changed: Business) -> None:
    ids = [int(deal.id) - 7000 for deal in changed.deals.values()]
    (rows,) = client_asks(changed, [f"{MODEL}.history_revisions", ids, {}])
    wanted = {
        (naive(at), int(deal.id) - 7000)
        for deal in changed.deals.values()
        for at in (*(at for at, _ in deal.stage_history), deal.archived or changed_at(changed, deal) or deal.created)
    }
    assert {(at, id_) for at, id_, _ in rows} == wanted


def test_the_client_reads_the_people(changed: Business) -> None:
    party, employee = ["email", "active", "replaced_by", "write_date"], ["active", "end_date"]
    everybody = {"active_test": False}
    asked: list[Sequence[object]] = [
        ["model.party.party.search_read", [], 0, None, BY_ID, party, everybody],
        ["model.company.employee.search_read", [], 0, None, BY_ID, employee, everybody],
        ["model.party.party.search", [], 0, None, BY_ID, {}],
    ]
    parties, employees, active = client_asks(changed, *asked)
    merged = {loser: int(one.id) for one in changed.contacts.values() for loser in one.merged}
    assert merged
    assert parties == [
        {
            "id": int(one.id),
            "email": "" if one.id in merged else one.email,
            "active": one.archived is None,
            "replaced_by": merged.get(one.id),
            "write_date": naive(one.modified),
        }
        for one in changed.contacts.values()
    ]
    assert active == [row["id"] for row in parties if row["active"]]
    assert [(row["id"], row["active"]) for row in employees] == [
        (int(one.id), not one.archived) for one in changed.owners
    ]


def test_the_client_understands_a_refusal(changed: Business) -> None:
    asked: list[Sequence[object]] = [
        [f"{MODEL}.read", [9999], ["state"], {}],
        [f"{MODEL}.nothing", {}],
        [f"{MODEL}.search", []],
    ]
    unknown, forbidden, incomplete = client_asks(changed, *asked)
    assert unknown["fault"][0] == "UserError"
    assert [one["fault"][0] for one in (forbidden, incomplete)] == ["403", "422"]


def test_the_client_is_not_let_in_with_a_wrong_password(changed: Business) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        client_asks(changed, password="no")
    assert "401" in caught.value.stderr
