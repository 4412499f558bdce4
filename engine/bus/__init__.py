"""Typed messages between roles and the transports that carry them."""
