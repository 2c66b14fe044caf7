"""The whole business as one leaking bucket, on the standard library alone.

Importing it registers its functions, which `holdwater` hands out under their own names.
"""

from holdwater.bucket import levers, limits, losses, sequence, verdict
from holdwater.bucket.model import Bucket
from holdwater.bucket.projection import Period, one_more_lead, profit, project

__all__ = [
    "Bucket",
    "Period",
    "levers",
    "limits",
    "losses",
    "one_more_lead",
    "profit",
    "project",
    "sequence",
    "verdict",
]
