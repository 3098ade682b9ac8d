"""The books of each organisation: records, and the double entry every document makes."""
