"""A local world: a real node with the real contracts, so that pools move as they do on a chain."""
