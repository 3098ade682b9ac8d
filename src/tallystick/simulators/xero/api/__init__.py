"""The Accounting API 2.0: reading, writing, attachments."""
