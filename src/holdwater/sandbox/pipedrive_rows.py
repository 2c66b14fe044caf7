"""The business as Pipedrive would show it: numbers for ids, times to the second, an inbox for leads without a deal.

A lead that becomes a deal leaves the inbox. Won and lost are no stages: a deal ends in the one it was in. What was
archived in the business is deleted here; Pipedrive's own archive holds what has been left alone for long. What the
contacts write does not show: it is mail, and activities are what the firm has done.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from holdwater.sandbox.business import Business
from holdwater.sandbox.dialect import Json
from holdwater.sandbox.records import Activity, Contact, Deal, Owner, Stage

PIPELINE = 1
_FIRST_CHANNEL = 51
_INBOX = uuid.UUID("adf21080-0e10-11eb-879b-05d71fb426ec")


def second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def iso(moment: datetime | None) -> str | None:
    """As v2 writes moments: to the second."""
    return None if moment is None else second(moment).isoformat().replace("+00:00", "Z")


def iso_milliseconds(moment: datetime) -> str:
    """As v1 writes them for leads."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def legacy(moment: datetime) -> str:
    """As v1 writes them elsewhere: UTC, without saying so."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


class Rows:
    """`archive_after`: what has not changed for so long, and is no open deal, is in the archive."""

    def __init__(self, business: Business, archive_after: timedelta) -> None:
        self._business = business
        self._archive_after = archive_after
        self._channels: dict[str, int] = {}
        self._stages = {stage.id: number for number, stage in enumerate(self.open_stages(), 1)}

    def open_stages(self) -> list[Stage]:
        return [stage for stage in self._business.stages if stage.status == "open"]

    def deals(self, *, archived: bool, statuses: Collection[str]) -> Iterator[Deal]:
        """Deleted ones can be had for 30 days."""
        forgotten = self._business.now - timedelta(days=30)
        for deal in self._business.deals.values():
            if deal.archived:
                shown = "deleted" in statuses and not archived and deal.archived >= forgotten
            else:
                shown = deal.status in statuses and self._in_archive(deal) == archived
            if shown:
                yield deal

    def deal(self, id_: str) -> Deal | None:
        return self._business.deals.get(id_)

    def persons(self) -> Iterator[Contact]:
        """Of those deleted or merged into another, nothing is heard any more."""
        return (contact for contact in self._business.contacts.values() if not contact.archived)

    def leads(self, *, archived: bool) -> Iterator[Contact]:
        """Those in the inbox, by their contacts."""
        old = self._business.now - self._archive_after
        for contact in self.persons():
            if not self._business.deals_of.get(contact.id) and (contact.modified < old) == archived:
                yield contact

    def activities(self) -> Iterator[Activity]:
        return (one for one in self._business.activities.values() if one.direction == "out")

    def channels(self) -> dict[str, int]:
        """The number of each source; once given, it stays."""
        for contact in self._business.contacts.values():
            self._channel(contact.source)
        for deal in self._business.deals.values():
            self._channel(deal.source)
        return self._channels

    def show_deal(self, deal: Deal, include: Collection[str]) -> Json:
        closed_day = deal.closed and deal.closed.date().isoformat()
        won, lost = (deal.closed if deal.status == status else None for status in ("won", "lost"))
        moved = [at for at, stage in deal.stage_history[1:] if stage in self._stages]
        archived = not deal.archived and self._in_archive(deal)
        row: Json = {
            "id": int(deal.id),
            "title": deal.name,
            "creator_user_id": int(deal.owner_id),
            "owner_id": int(deal.owner_id),
            "value": _number(deal.amount),
            "person_id": deal.contact_id and int(deal.contact_id),
            "org_id": None,
            "stage_id": self._stage(deal),
            "pipeline_id": PIPELINE,
            "currency": deal.currency,
            "archive_time": iso(deal.modified + self._archive_after) if archived else None,
            "add_time": iso(deal.created),
            "update_time": iso(deal.modified),
            "stage_change_time": iso(moved[-1]) if moved else None,
            "status": "deleted" if deal.archived else deal.status,
            "is_archived": archived,
            "is_deleted": deal.archived is not None,
            "probability": None,
            "lost_reason": deal.lost_reason,
            "visible_to": 7,
            "close_time": iso(deal.closed),
            "won_time": iso(won),
            "lost_time": iso(lost),
            "local_won_date": closed_day if won else None,
            "local_lost_date": closed_day if lost else None,
            "local_close_date": closed_day,
            "expected_close_date": deal.expected_close.date().isoformat(),
            "label_ids": [],
            "origin": "API",
            "origin_id": None,
            "channel": self._channel(deal.source),
            "channel_id": None,
            "acv": None,
            "arr": None,
            "mrr": None,
            "custom_fields": {},
        }
        if "source_lead_id" in include:
            row["source_lead_id"] = deal.contact_id and _lead_id(deal.contact_id)
        return row

    def show_person(self, contact: Contact, include: Collection[str]) -> Json:
        first, _, last = contact.name.partition(" ")
        row: Json = {
            "id": int(contact.id),
            "name": contact.name,
            "first_name": first,
            "last_name": last,
            "owner_id": int(contact.owner_id),
            "org_id": None,
            "add_time": iso(contact.created),
            "update_time": iso(contact.modified),
            "emails": [{"value": contact.email, "primary": True, "label": "work"}],
            "phones": [],
            "is_deleted": False,
            "visible_to": 7,
            "label_ids": [],
            "picture_id": None,
            "custom_fields": {},
        }
        subscribed = contact.legal_basis == "consent"
        marketing = {
            "marketing_status": "unsubscribed" if contact.opted_out else "subscribed" if subscribed else "no_consent",
            "doi_status": 1,
        }
        return row | {name: value for name, value in marketing.items() if name in include}

    def show_activity(self, activity: Activity, _include: Collection[str]) -> Json:
        return {
            "id": int(activity.id),
            "subject": f"Simulated {activity.kind} {activity.id}",
            "type": activity.kind,
            "owner_id": int(activity.owner_id),
            "creator_user_id": int(activity.owner_id),
            "is_deleted": False,
            "add_time": iso(activity.created),
            "update_time": iso(activity.modified),
            "deal_id": None,
            "lead_id": None,
            "person_id": int(activity.contact_id),
            "org_id": None,
            "project_id": None,
            "due_date": activity.at.date().isoformat(),
            "due_time": activity.at.strftime("%H:%M:00"),
            "duration": "00:10:00",
            "busy": False,
            "done": True,
            "marked_as_done_time": iso(activity.at),
            "location": None,
            "participants": [{"person_id": int(activity.contact_id), "primary": True}],
            "attendees": [],
            "conference_meeting_client": None,
            "conference_meeting_url": None,
            "conference_meeting_id": None,
            "public_description": None,
            "priority": None,
            "note": None,
        }

    def show_lead(self, contact: Contact, *, archived: bool) -> Json:
        return {
            "id": _lead_id(contact.id),
            "title": f"{contact.name} lead",
            "owner_id": int(contact.owner_id),
            "creator_id": int(contact.owner_id),
            "label_ids": [],
            "person_id": int(contact.id),
            "organization_id": None,
            "source_name": "API",
            "origin": "API",
            "origin_id": None,
            "channel": self._channel(contact.source),
            "channel_id": None,
            "source_deal_id": None,
            "is_archived": archived,
            "was_seen": True,
            "value": None,
            "expected_close_date": None,
            "next_activity_id": None,
            "add_time": iso_milliseconds(contact.created),
            "update_time": iso_milliseconds(contact.modified),
            "visible_to": "3",
            "cc_email": f"simulated+lead{contact.id}@example.com",
        }

    def changelog(self, deal: Deal) -> list[Json]:
        """What has changed in a deal, newest first."""
        entries = []
        for (_, before), (at, after) in pairwise(deal.stage_history):
            if after in self._stages:
                entries.append(_change("stage_id", str(self._stages[before]), str(self._stages[after]), at, deal))
            else:
                if deal.lost_reason:
                    entries.append(_change("lost_reason", None, deal.lost_reason, at, deal))
                entries.append(_change("status", "open", deal.status, at, deal))
        return entries[::-1]

    def _stage(self, deal: Deal) -> int:
        return next(self._stages[stage] for _, stage in reversed(deal.stage_history) if stage in self._stages)

    def _in_archive(self, deal: Deal) -> bool:
        return deal.status != "open" and deal.modified < self._business.now - self._archive_after

    def _channel(self, source: str | None) -> int | None:
        return None if source is None else self._channels.setdefault(source, _FIRST_CHANNEL + len(self._channels))


def stage(one: Stage, number: int) -> Json:
    return {
        "id": number,
        "order_nr": one.position,
        "name": one.label,
        "is_deleted": False,
        "deal_probability": round(one.probability * 100),
        "pipeline_id": PIPELINE,
        "is_deal_rot_enabled": False,
        "days_to_rotten": None,
        "add_time": iso(one.created),
        "update_time": iso(one.modified),
    }


def user(one: Owner, *, you: bool) -> Json:
    return {
        "id": int(one.id),
        "name": one.name,
        "default_currency": "USD",
        "locale": "en_US",
        "lang": 1,
        "email": one.email,
        "phone": None,
        "activated": True,
        "last_login": legacy(one.modified),
        "created": legacy(one.created),
        "modified": legacy(one.modified),
        "has_created_company": you,
        "access": [{"app": "sales", "admin": True, "permission_set_id": str(_INBOX)}],
        "active_flag": not one.archived,
        "timezone_name": "Europe/Berlin",
        "timezone_offset": "+01:00",
        "role_id": 1,
        "icon_url": None,
        "is_you": you,
        "is_deleted": False,
    }


def _lead_id(contact_id: str) -> str:
    return str(uuid.uuid5(_INBOX, contact_id))


def _number(amount: str) -> int | float:
    value = Decimal(amount)
    return int(value) if value == value.to_integral_value() else float(value)


def _change(field: str, old: str | None, new: str | None, at: datetime, deal: Deal) -> Json:
    return {
        "field_key": field,
        "old_value": old,
        "new_value": new,
        "actor_user_id": int(deal.owner_id),
        "time": legacy(at),
        "change_source": "app",
        "change_source_user_agent": None,
        "is_bulk_update_flag": False,
    }
