"""Under which id what allows a token is kept, beside the swap that takes it."""

from typing import Final

ALLOWING: Final = "-allow"
"""Behind a plan's own id: of the transaction that allows what its swap takes."""


def allowing_id(client_order_id: str) -> str:
    """Return under which id the allowance of a plan's swap is kept."""
    return client_order_id + ALLOWING


def plans_id(client_order_id: str) -> str:
    """Return the id of the plan that a transaction is of: its own, or that of its swap."""
    return client_order_id.removesuffix(ALLOWING)


def is_allowing(client_order_id: str) -> bool:
    """Say whether an id is of an allowance."""
    return client_order_id.endswith(ALLOWING)
