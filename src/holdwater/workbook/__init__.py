"""Workbooks: what the template holds, and how an .xlsx is refreshed without damage."""
