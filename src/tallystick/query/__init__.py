"""Asking for part of a list: language, properties, SQL, order."""
