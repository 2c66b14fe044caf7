"""What the conformance suite needs to know of each vendor; add one here, and every test of the suite runs on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from happenings import CRM, Happenings
from hubspot_vendor import HUBSPOT
from odoo_vendor import ODOO
from pipedrive_vendor import PIPEDRIVE
from salesforce_vendor import SALESFORCE
from stripe_vendor import STRIPE
from template_vendor import TEMPLATE
from tryton_vendor import TRYTON

from holdwater.crm.connector import Connector
from holdwater.crm.records import Record
from holdwater.sandbox import Business, Sandbox


@dataclass(frozen=True)
class Vendor:
    """One vendor: its sandbox, its connector, and what the store must hold of a business.

    `serve` serves a business in the vendor's dialect. `connect` opens the connector on a served business; the test
    closes it. `expected` is made from the simulator alone, without a line of the connector. `happenings` are what
    the vendor sees of what happens. `computed` names the columns of streams that are made of several of its fields.
    """

    name: str
    serve: Callable[[Business], AbstractContextManager[Sandbox]]
    connect: Callable[[Sandbox], AbstractContextManager[Connector]]
    expected: Callable[[Business], Mapping[str, Sequence[Record]]]
    happenings: Happenings = CRM
    computed: frozenset[tuple[str, str]] = frozenset()


VENDORS = (
    Vendor(*HUBSPOT),
    Vendor(*ODOO),
    Vendor(*PIPEDRIVE),
    Vendor(*SALESFORCE),
    Vendor(*STRIPE),
    Vendor(*TEMPLATE),
    Vendor(*TRYTON),
)
