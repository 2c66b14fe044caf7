"""A simulated business with known truth, and loopback CRMs that serve it: to demonstrate and to test against."""

from holdwater.sandbox.business import Business
from holdwater.sandbox.hubspot import rate_limited
from holdwater.sandbox.records import Contact, Customer, Deal, Owner, Pipeline, Spend, Stage
from holdwater.sandbox.server import Sandbox, serve
from holdwater.sandbox.simulation import NOW, simulate
from holdwater.sandbox.truth import DEFAULT, REFERRALS, Source, Truth

__all__ = [
    "DEFAULT",
    "NOW",
    "REFERRALS",
    "Business",
    "Contact",
    "Customer",
    "Deal",
    "Owner",
    "Pipeline",
    "Sandbox",
    "Source",
    "Spend",
    "Stage",
    "Truth",
    "rate_limited",
    "serve",
    "simulate",
]
