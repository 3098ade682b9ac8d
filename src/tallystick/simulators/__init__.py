"""The simulated accounting platforms: books of their own behind the wire of the real ones."""
