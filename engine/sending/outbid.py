"""Why a bundle was in no block, and who stood where it wanted to: as the sandbox's relay tells.

It tells of blocks that are made, to anybody. Relays of real chains do not: then nothing is said.
"""

from decimal import Decimal
from typing import Any, Final

from engine.domain.units import NATIVE_DECIMALS

METHOD: Final = "sandbox_bundlesOfBlock"
OUTBID: Final = "outbid"
"""How a sentence begins that says that somebody paid more."""

_WHY_MAX: Final = 160


def why_not_there(block: int, told: Any, hash_: str) -> str:
    """Return why a bundle is not in a block; empty if that is not told, or if it is there.

    Args:
        block: its number.
        told: what became of all bundles for it, as the relay says.
        hash_: of a transaction of the bundle.
    """
    try:
        found = [one for one in told if hash_ in one["hashes"]]
        if any(one["place"] >= 0 for one in found):
            return ""
        # What it was bid with as the last one: in others' bundles it only went ahead.
        ours = next(one for one in found if one["hashes"][-1] == hash_)
        front = next((one for one in told if one["place"] == 0), None)
        if front is None or front["paid_wei"] < ours["paid_wei"] or not ours["paid_wei"]:
            return f"not in block {block}: {str(ours['why'])[:_WHY_MAX]}"
        paid, rival = _whole(front["paid_wei"]), str(front["signer"])[:42]
        return (
            f"{OUTBID} in block {block} by {rival}, who paid {paid} in front; ours would have paid"
            f" {_whole(ours['paid_wei'])}"
        )
    except (StopIteration, KeyError, TypeError, ValueError, ArithmeticError):
        return ""


def _whole(wei: int) -> str:
    """Return coins for people, to a millionth."""
    return f"{Decimal(wei).scaleb(-NATIVE_DECIMALS):.6f}"
