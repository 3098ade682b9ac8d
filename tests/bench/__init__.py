"""Measurements against ceilings, side by side in one run: `make bench`."""
