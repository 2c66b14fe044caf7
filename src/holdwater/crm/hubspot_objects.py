"""The types of HubSpot's objects that a sync reads, and what of each."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One type of object, and the only properties of it that are ever requested."""

    name: str
    singular: str
    changed: str  # the property with the time of the last change
    properties: tuple[str, ...]
    scope: str  # the right that reading it needs
    associated: bool = True  # with contacts
    history: str | None = None  # the property whose past values are wanted too

    def asking_for(self, *properties: str) -> ObjectType:
        """The same with more properties."""
        return replace(self, properties=(*self.properties, *properties))


_CRM_SCOPE = "crm.objects.contacts.read"
CONTACTS = ObjectType(
    "contacts",
    "contact",
    "lastmodifieddate",
    (
        "createdate",
        "lastmodifieddate",
        "hs_analytics_source",
        "hubspot_owner_id",
        "hs_merged_object_ids",
        "hs_email_optout",
        "hs_legal_basis",
    ),
    _CRM_SCOPE,
    associated=False,
)
DEALS = ObjectType(
    "deals",
    "deal",
    "hs_lastmodifieddate",
    (
        "amount",
        "deal_currency_code",
        "dealstage",
        "pipeline",
        "closedate",
        "createdate",
        "hs_lastmodifieddate",
        "hs_is_closed",
        "hs_is_closed_won",
        "hubspot_owner_id",
        "closed_lost_reason",
        "hs_merged_object_ids",
    ),
    "crm.objects.deals.read",
    history="dealstage",
)


def _activity(name: str, singular: str, *properties: str, scope: str = _CRM_SCOPE) -> ObjectType:
    asked = ("hs_timestamp", "hs_lastmodifieddate", "hubspot_owner_id", *properties)
    return ObjectType(name, singular, "hs_lastmodifieddate", asked, scope)


CALLS = _activity("calls", "call", "hs_call_direction")
EMAILS = _activity("emails", "email", "hs_email_direction", scope="sales-email-read")
MEETINGS = _activity("meetings", "meeting")
MESSAGES = _activity("communications", "communication")
