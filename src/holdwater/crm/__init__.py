"""Connectors: from a CRM's or an export's own words to the canonical records."""
