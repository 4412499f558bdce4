"""Follows a chain's blocks: whole, in order, each once, whatever the nodes do."""
