"""The models of a simulated Odoo 19 that a client which copies leads comes across, and their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LEAD, STAGE, USER, PARTNER = "crm.lead", "crm.stage", "res.users", "res.partner"
SOURCE, REASON, CURRENCY = "utm.source", "crm.lost.reason", "res.currency"
TRACKING, MESSAGE, FIELD = "mail.tracking.value", "mail.message", "ir.model.fields"
NUMBERS = ("integer", "float", "monetary")
TEXTS = ("char", "text", "selection")


@dataclass(frozen=True, slots=True)
class Model:
    """`fields` has the type of each; `relations` the model that a many2one leads to. `order` is the usual one."""

    name: str
    title: str
    order: str
    fields: Mapping[str, str]
    relations: Mapping[str, str]


def _model(name: str, title: str, order: str, to: Mapping[str, str] | None = None, **kinds: str) -> Model:
    """`kinds`: fields by type, with blanks between; every model has an id, a display name and the times of changes."""
    fields = {"id": "integer", "display_name": "char", "create_date": "datetime", "write_date": "datetime"}
    fields |= {field: kind for kind, names in kinds.items() for field in names.split()}
    return Model(name, title, order, fields | dict.fromkeys(to or {}, "many2one"), to or {})


MODELS: Mapping[str, Model] = {
    model.name: model
    for model in (
        _model(
            LEAD,
            "Lead",
            "priority desc, id desc",
            {
                "stage_id": STAGE,
                "user_id": USER,
                "partner_id": PARTNER,
                "source_id": SOURCE,
                "lost_reason_id": REASON,
                "company_currency": CURRENCY,
            },
            char="name contact_name email_from",
            selection="type won_status priority",
            boolean="active",
            float="probability",
            monetary="expected_revenue",
            datetime="date_closed date_conversion date_last_stage_update date_open",
            date="date_deadline",
        ),
        _model(STAGE, "CRM Stages", "sequence, name, id", char="name", integer="sequence", boolean="is_won fold"),
        _model(USER, "User", "name, login", char="name login email", boolean="active share"),
        _model(PARTNER, "Contact", "name, id desc", char="name email", boolean="active"),
        _model(SOURCE, "UTM Source", "id", char="name"),
        _model(REASON, "Opp. Lost Reason", "id", char="name", boolean="active"),
        _model(CURRENCY, "Currency", "active desc, name", char="name symbol", boolean="active"),
        _model(
            TRACKING,
            "Mail Tracking Value",
            "id desc",
            {"field_id": FIELD, "mail_message_id": MESSAGE},
            integer="old_value_integer new_value_integer",
            char="old_value_char new_value_char",
        ),
        _model(MESSAGE, "Message", "id desc", char="model subject", integer="res_id", datetime="date"),
        _model(FIELD, "Fields", "name, id", char="name model"),
    )
}
