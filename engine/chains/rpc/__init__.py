"""Nodes of a chain: several providers as one, none of them trusted alone."""
