"""Everything we write to Xero."""
