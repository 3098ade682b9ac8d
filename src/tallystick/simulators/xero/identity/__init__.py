"""The identity server: consent, rotating tokens, revocation, and the list of connections."""
