"""The records we hold: taken in by hash, served as they stand."""
