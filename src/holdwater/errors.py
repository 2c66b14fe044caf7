"""Every error Holdwater raises, grouped by what the person who meets it can do.

Each message is one sentence: what is wrong, where, what is allowed, what to do.
"""

from __future__ import annotations


class HoldwaterError(Exception):
    """Root of the tree; `exit_code` is what the command line ends with."""

    exit_code = 1


# Give the formula other arguments.


class FormulaError(HoldwaterError, ValueError):
    """A formula cannot answer; `cell` is what a spreadsheet shows instead."""

    cell = "#VALUE!"
    exit_code = 5


class NumError(FormulaError):
    """The answer does not exist for these numbers: out of the domain, or "never" (as NPER does)."""

    cell = "#NUM!"


class KindError(FormulaError):
    """Something that is not a number stands where a number belongs."""

    cell = "#VALUE!"


class CallError(KindError, TypeError):
    """A function was called with too many arguments, or with one it does not have."""


class NoDataError(FormulaError):
    """There is not enough data for an honest answer."""

    cell = "#N/A"


# Install or configure something.


class SetupError(HoldwaterError):
    """Something must be installed or configured first."""

    exit_code = 3


class UsageError(SetupError):
    """Options that do not go together."""

    exit_code = 2


class MissingExtraError(SetupError):
    """An optional part is not installed."""


class CredentialsError(SetupError):
    """A token is missing, or the CRM does not accept it."""


class ScopeError(CredentialsError):
    """The CRM accepts the token, but not for this part of the account."""


# Look at the CRM, or try again later.


class SourceError(HoldwaterError):
    """The CRM could not be read."""

    exit_code = 4


class UnreachableError(SourceError):
    """The CRM did not answer at all."""


class BadAnswerError(SourceError):
    """The CRM answered with something that cannot be used."""


class RefusedError(BadAnswerError):
    """The CRM does not take this question."""


class QuotaError(SourceError):
    """The CRM's quota for today is used up; trying again now would not help."""


# Mend an export or its mapping.


class ExportError(HoldwaterError):
    """An exported file, or the mapping that describes it, cannot be read."""

    exit_code = 5


# Mend the description of the business.


class DescriptionError(HoldwaterError):
    """A file that describes a business for `holdwater diagnose` cannot be read."""

    exit_code = 5


# Look at the workbook.


class WorkbookError(HoldwaterError):
    """The workbook cannot be read or written; it is as it was."""

    exit_code = 6


class NotOurWorkbookError(WorkbookError):
    """The workbook has none of the tables that Holdwater owns."""


class RestatedError(WorkbookError):
    """A refresh would change a month whose books are closed."""


class WorkbookLockedError(WorkbookError):
    """Another program has the workbook open, or it may not be written."""


# Look at the store.


class StoreError(HoldwaterError):
    """The store file cannot be read or written."""

    exit_code = 7
