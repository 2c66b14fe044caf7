"""The business as HubSpot would show it: every value a string or null, times as ISO text with milliseconds and Z."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from holdwater.sandbox.business import Business
from holdwater.sandbox.dialect import Json
from holdwater.sandbox.records import Activity, Contact, Deal, Owner, Pipeline

Kind = Literal["text", "number", "datetime"]


@dataclass(frozen=True, slots=True)
class Row:
    """One object: its properties, and the past values of those that had other ones, newest first."""

    id: str
    properties: dict[str, str | None]
    history: dict[str, list[tuple[datetime, str]]]
    created: datetime
    modified: datetime
    archived: datetime | None


@dataclass(frozen=True, slots=True)
class ObjectType:
    """What HubSpot knows about one type of object."""

    name: str
    singular: str
    code: str
    kinds: dict[str, Kind]  # every property; all but numbers and datetimes count as text
    always: frozenset[str]  # in every answer, asked for or not
    defaults: frozenset[str]  # in an answer when no properties are asked for
    association_type: int  # from this type to contacts, from contacts to deals


def iso(moment: datetime) -> str:
    """Fixed width, so that text order is time order."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _kinds(*, text: str, number: str, moment: str) -> dict[str, Kind]:
    kinds: dict[str, Kind] = dict.fromkeys(text.split(), "text")
    kinds |= dict.fromkeys(number.split(), "number")
    return kinds | dict.fromkeys(moment.split(), "datetime")


CONTACTS = ObjectType(
    name="contacts",
    singular="contact",
    code="0-1",
    kinds=_kinds(
        text="email firstname lastname hs_analytics_source lifecyclestage hubspot_owner_id hs_email_optout"
        " hs_legal_basis hs_merged_object_ids hs_calculated_merged_vids",
        number="hs_object_id",
        moment="createdate lastmodifieddate",
    ),
    always=frozenset({"createdate", "hs_object_id", "lastmodifieddate"}),
    defaults=frozenset({"createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"}),
    association_type=4,
)
DEALS = ObjectType(
    name="deals",
    singular="deal",
    code="0-3",
    kinds=_kinds(
        text="dealname deal_currency_code dealstage pipeline hubspot_owner_id hs_is_closed_won hs_is_closed"
        " hs_analytics_source hs_merged_object_ids closed_lost_reason closed_won_reason",
        number="amount amount_in_home_currency hs_object_id",
        moment="closedate createdate hs_lastmodifieddate",
    ),
    always=frozenset({"createdate", "hs_lastmodifieddate", "hs_object_id"}),
    defaults=frozenset(
        {"amount", "closedate", "createdate", "dealname", "dealstage"}
        | {"hs_lastmodifieddate", "hs_object_id", "pipeline"}
    ),
    association_type=3,
)


def _activity(name: str, singular: str, code: str, association_type: int, own: str) -> ObjectType:
    return ObjectType(
        name=name,
        singular=singular,
        code=code,
        kinds=_kinds(
            text=f"hubspot_owner_id {own}",
            number="hs_object_id",
            moment="hs_createdate hs_lastmodifieddate hs_timestamp",
        ),
        always=frozenset({"hs_createdate", "hs_lastmodifieddate", "hs_object_id"}),
        defaults=frozenset({"hs_createdate", "hs_lastmodifieddate", "hs_object_id"}),
        association_type=association_type,
    )


CALLS = _activity("calls", "call", "0-48", 194, "hs_call_direction hs_call_status hs_call_title")
EMAILS = _activity("emails", "email", "0-49", 198, "hs_email_direction hs_email_status hs_email_subject")
# Nothing simulated is of these two; accounts have them all the same.
MEETINGS = _activity("meetings", "meeting", "0-47", 200, "hs_meeting_outcome hs_meeting_title")
COMMUNICATIONS = _activity("communications", "communication", "0-18", 81, "hs_communication_channel_type")
ACTIVITIES = {"call": CALLS, "email": EMAILS}
TYPES = {
    key: kind
    for kind in (CONTACTS, DEALS, CALLS, EMAILS, MEETINGS, COMMUNICATIONS)
    for key in (kind.name, kind.singular, kind.code)
}


class Rows:
    """The rows of a business, each made once and made anew only when its record has changed."""

    def __init__(self, business: Business) -> None:
        self._business = business
        self._made: dict[tuple[str, str], tuple[Contact | Deal | Activity, Row]] = {}

    def ids(self, kind: ObjectType) -> list[str]:
        """Ids in the order of creation, which is their order as numbers."""
        if kind is CONTACTS or kind is DEALS:
            return list(self._records(kind))
        return [one.id for one in self._business.activities.values() if ACTIVITIES[one.kind] is kind]

    def row(self, kind: ObjectType, record_id: str) -> Row | None:
        record = self._records(kind).get(record_id)
        if record is None or (isinstance(record, Activity) and ACTIVITIES[record.kind] is not kind):
            return None
        made = self._made.get((kind.name, record_id))
        if made is None or made[0] is not record:
            row = _row(record)
            self._made[kind.name, record_id] = made = (record, row)
        return made[1]

    def all(self, kind: ObjectType) -> Iterable[Row]:
        """Every row that is not archived."""
        rows = (self.row(kind, record_id) for record_id in self.ids(kind))
        return (row for row in rows if row and not row.archived)

    def linked(self, kind: ObjectType, other: ObjectType, record_id: str) -> list[str]:
        """Ids of the deals of a contact, or of the contact of anything else; archived ones are out of sight."""
        deals, contacts = self._business.deals, self._business.contacts
        if kind is CONTACTS and other is DEALS:
            return [one for one in self._business.deals_of.get(record_id, ()) if not deals[one].archived]
        record = None if kind is CONTACTS or other is not CONTACTS else self._records(kind).get(record_id)
        contact_id = None if record is None or isinstance(record, Contact) else record.contact_id
        return [] if contact_id is None or contacts[contact_id].archived else [contact_id]

    def _records(self, kind: ObjectType) -> Mapping[str, Contact | Deal | Activity]:
        if kind is CONTACTS:
            return self._business.contacts
        if kind is DEALS:
            return self._business.deals
        return self._business.activities


def _row(record: Contact | Deal | Activity) -> Row:
    if isinstance(record, Contact):
        return _contact(record)
    return _deal(record) if isinstance(record, Deal) else _logged(record)


_LEGAL_BASES = {
    "consent": "Freely given consent from contact",
    "legitimate_interest": "Legitimate interest – prospect/lead",  # noqa: RUF001 -- HubSpot's own dash
}


def _contact(contact: Contact) -> Row:
    first, _, last = contact.name.partition(" ")
    properties = {
        "email": contact.email,
        "firstname": first,
        "lastname": last,
        "createdate": iso(contact.created),
        "lastmodifieddate": iso(contact.modified),
        "hs_analytics_source": contact.source,
        "lifecyclestage": contact.lifecycle,
        "hubspot_owner_id": contact.owner_id,
        "hs_object_id": contact.id,
        "hs_email_optout": None if contact.opted_out is None else _boolean(contact.opted_out),
        "hs_legal_basis": None if contact.legal_basis is None else _LEGAL_BASES[contact.legal_basis],
        "hs_merged_object_ids": ";".join(contact.merged) or None,
        "hs_calculated_merged_vids": ";".join(contact.merged) or None,
    }
    return Row(contact.id, properties, {}, contact.created, contact.modified, contact.archived)


def _deal(deal: Deal) -> Row:
    closing = deal.closed or deal.expected_close
    properties = {
        "dealname": deal.name,
        "amount": deal.amount,
        "amount_in_home_currency": deal.amount,
        "deal_currency_code": deal.currency,
        "dealstage": deal.stage_id,
        "pipeline": deal.pipeline_id,
        "closedate": iso(closing),
        "createdate": iso(deal.created),
        "hs_lastmodifieddate": iso(deal.modified),
        "hubspot_owner_id": deal.owner_id,
        "hs_is_closed_won": _boolean(deal.status == "won"),
        "hs_is_closed": _boolean(deal.status != "open"),
        "hs_analytics_source": deal.source,
        "hs_object_id": deal.id,
        "hs_merged_object_ids": None,
        "closed_lost_reason": deal.lost_reason,
        "closed_won_reason": None,
    }
    closings = [(deal.created, iso(deal.expected_close))]
    if deal.closed:
        closings.insert(0, (deal.closed, iso(deal.closed)))
    history = {
        "dealstage": list(reversed(deal.stage_history)),
        "closedate": closings,
        "pipeline": [(deal.created, deal.pipeline_id)],
        "amount": [(deal.created, deal.amount)],
    }
    return Row(deal.id, properties, history, deal.created, deal.modified, deal.archived)


def _logged(activity: Activity) -> Row:
    out = activity.direction == "out"
    properties = {
        "hs_createdate": iso(activity.created),
        "hs_lastmodifieddate": iso(activity.modified),
        "hs_timestamp": iso(activity.at),
        "hs_object_id": activity.id,
        "hubspot_owner_id": activity.owner_id,
    }
    if activity.kind == "call":
        properties |= {
            "hs_call_direction": "OUTBOUND" if out else "INBOUND",
            "hs_call_status": "COMPLETED",
            "hs_call_title": f"Simulated call {activity.id}",
        }
    else:
        properties |= {
            "hs_email_direction": "EMAIL" if out else "INCOMING_EMAIL",
            "hs_email_status": "SENT",
            "hs_email_subject": f"Simulated e-mail {activity.id}",
        }
    return Row(activity.id, dict(properties), {}, activity.created, activity.modified, None)


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def shown(kind: ObjectType, row: Row, properties: Sequence[str], with_history: Sequence[str] = ()) -> Json:
    """A row as it is answered. Properties HubSpot does not know are left out, without a word."""
    names = kind.always.union(properties) & kind.kinds.keys() if properties else kind.defaults
    answer: Json = {
        "id": row.id,
        "properties": {name: row.properties[name] for name in sorted(names)},
        "createdAt": iso(row.created),
        "updatedAt": iso(row.modified),
        "archived": row.archived is not None,
    }
    if row.archived:
        answer["archivedAt"] = iso(row.archived)
    past = [name for name in dict.fromkeys(with_history) if name in kind.kinds]
    if past:
        answer["propertiesWithHistory"] = {name: _past(row, name) for name in past}
    return answer


def _past(row: Row, name: str) -> list[Json]:
    current = row.properties[name]
    values = row.history.get(name) or ([] if current is None else [(row.modified, current)])
    return [{"value": value, "timestamp": iso(at), "sourceType": "CRM_UI"} for at, value in values]


def owner(one: Owner) -> Json:
    first, _, last = one.name.partition(" ")
    user = int(one.id) + 9000  # deals name the owner by id, never by this number
    return {
        "id": one.id,
        "email": one.email,
        "type": "PERSON",
        "firstName": first,
        "lastName": last,
        "userId": None if one.archived else user,
        "userIdIncludingInactive": user,
        "createdAt": iso(one.created),
        "updatedAt": iso(one.modified),
        "archived": one.archived,
    }


def pipeline(one: Pipeline) -> Json:
    return {
        "id": one.id,
        "label": one.label,
        "displayOrder": 0,
        "createdAt": iso(one.created),
        "updatedAt": iso(one.modified),
        "archived": False,
        "stages": [
            {
                "id": stage.id,
                "label": stage.label,
                "displayOrder": stage.position,
                "metadata": {"isClosed": _boolean(stage.status != "open"), "probability": str(stage.probability)},
                "createdAt": iso(stage.created),
                "updatedAt": iso(stage.modified),
                "archived": False,
                "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
            }
            for stage in one.stages
        ],
    }
