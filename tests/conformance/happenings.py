"""What happens in a business, of which vendors see different things: a CRM its deals, a billing its bills."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from holdwater.sandbox import Business


def _delete(business: Business) -> int:
    business.archive_deal(next(deal.id for deal in business.deals.values() if deal.status == "won"))
    business.archive_contact(next(contact.id for contact in business.contacts.values() if contact.lifecycle == "lead"))
    return 2


def _vanish(business: Business) -> int:
    for deal_id in list(business.deals)[:7]:
        del business.deals[deal_id]
    for deals in business.deals_of.values():
        deals[:] = [deal_id for deal_id in deals if deal_id in business.deals]
    return 7


def _edit_all(business: Business) -> None:
    for contact_id, contact in business.contacts.items():
        business.contacts[contact_id] = replace(contact, modified=business.now, source="BULK")
    for deal_id, deal in business.deals.items():
        business.deals[deal_id] = replace(deal, modified=business.now, amount="77.00")


def _change(business: Business, number: int) -> None:
    contact_id = list(business.contacts)[number]
    business.contacts[contact_id] = replace(business.contacts[contact_id], modified=business.now, source="SECOND")


@dataclass(frozen=True)
class Happenings:
    """Each as of the business's present moment.

    `delete` deletes some records, `vanish` others without a trace: how many rows the store must lose by it.
    `edit_all` changes all at one moment, `change` the one with this number.
    """

    delete: Callable[[Business], int] = _delete
    vanish: Callable[[Business], int] = _vanish
    edit_all: Callable[[Business], None] = _edit_all
    change: Callable[[Business, int], None] = _change


CRM = Happenings()
