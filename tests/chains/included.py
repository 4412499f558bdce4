"""A transaction that was sent is in a block when the node says so, and not before."""

import time
from typing import Any

from engine.sandbox.world.hands import TransactionFailedError
from engine.sandbox.world.rpc import Rpc
from tests.patience import PATIENCE_S


def included(rpc: Rpc, transaction: str) -> dict[str, Any]:
    """Wait until a transaction is in a block; return its receipt."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        receipt = rpc.ask("eth_getTransactionReceipt", transaction)
        if receipt is not None:
            return dict(receipt)
    raise TransactionFailedError(f"{transaction} is in no block")
