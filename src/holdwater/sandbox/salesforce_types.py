"""The types of object that a simulated Salesforce has, and their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MONEY_OBJECTS = ("Opportunity", "OpportunityHistory")  # whose records name a currency where there are several


@dataclass(frozen=True, slots=True)
class ObjectType:
    """What Salesforce knows about one type of object: its fields, and the kind of each."""

    name: str
    fields: Mapping[str, str]


def _object(name: str, **kinds: str) -> ObjectType:
    """`kinds`: fields by kind, with blanks between; every object has an id and the times of its changes."""
    fields = {"Id": "id", "CreatedDate": "datetime", "SystemModstamp": "datetime"}
    fields |= {field: kind for kind, names in kinds.items() for field in names.split()}
    return ObjectType(name, fields)


TYPES = {
    kind.name: kind
    for kind in (
        _object("User", string="Name Email UserType", boolean="IsActive", datetime="LastModifiedDate"),
        _object(
            "OpportunityStage",
            string="ApiName MasterLabel",
            int="SortOrder",
            double="DefaultProbability",
            boolean="IsActive IsClosed IsWon",
            datetime="LastModifiedDate",
        ),
        _object(
            "Lead",
            string="Name Company Email",
            picklist="Status LeadSource",
            boolean="IsDeleted IsConverted HasOptedOutOfEmail",
            date="ConvertedDate",
            reference="MasterRecordId OwnerId ConvertedContactId ConvertedOpportunityId",
            datetime="LastModifiedDate",
        ),
        _object(
            "Contact",
            string="Name Email",
            picklist="LeadSource",
            boolean="IsDeleted HasOptedOutOfEmail",
            reference="MasterRecordId OwnerId",
            datetime="LastModifiedDate",
        ),
        _object(
            "Opportunity",
            string="Name",
            picklist="StageName LeadSource Loss_Reason__c CurrencyIsoCode",
            currency="Amount",
            double="Probability",
            boolean="IsDeleted IsClosed IsWon",
            date="CloseDate",
            reference="ContactId OwnerId",
            datetime="LastModifiedDate LastStageChangeDate",
        ),
        _object(
            "OpportunityHistory",
            picklist="StageName CurrencyIsoCode",
            currency="Amount",
            double="Probability",
            boolean="IsDeleted",
            date="CloseDate",
            reference="OpportunityId",
        ),
        _object(
            "Task",
            string="Subject",
            picklist="Status TaskSubtype CallType",
            boolean="IsDeleted IsClosed IsArchived",
            date="ActivityDate",
            reference="WhoId WhatId OwnerId",
            datetime="LastModifiedDate CompletedDateTime",
        ),
        # Nothing simulated is one of these; every organisation has them all the same.
        _object(
            "Event",
            string="Subject",
            boolean="IsDeleted IsChild IsArchived",
            reference="WhoId WhatId OwnerId",
            datetime="LastModifiedDate StartDateTime",
        ),
        _object(
            "EmailMessage",
            string="Subject",
            boolean="IsDeleted Incoming",
            reference="ActivityId",
            datetime="LastModifiedDate MessageDate",
        ),
    )
}
