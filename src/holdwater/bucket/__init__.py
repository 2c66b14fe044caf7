"""The whole business as one leaking bucket, on the standard library alone."""

from holdwater.bucket.model import Bucket
from holdwater.bucket.projection import Period, one_more_lead, profit, project

__all__ = ["Bucket", "Period", "one_more_lead", "profit", "project"]
