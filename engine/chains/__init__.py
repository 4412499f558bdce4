"""Chains: nodes, pools as these tell them, and what else of a chain decides."""
