"""Which nonce is the next one, by how many a chain has used and which of them are ours."""

from collections.abc import Collection


def next_nonce(count: int, used: Collection[int]) -> int:
    """Return the first nonce that neither the chain nor we have used.

    Args:
        count: how many the chain has used, as of its newest block; what it holds waiting counts
            for nothing, it comes and goes.
        used: ours, from `count` on; one above it whose transaction was given up leaves a hole,
            which is filled first: what is behind it waits for it.
    """
    nonce = count
    while nonce in used:
        nonce += 1
    return nonce


def hole(count: int, kept: Collection[int]) -> int | None:
    """Return the nonce that nobody uses and for which ours wait, None if there is none.

    One is left where a transaction was given up unsigned, or another sender's reorganised away.

    Args:
        count: how many the chain has used.
        kept: ours.
    """
    waiting = [nonce for nonce in kept if nonce > count]
    return count if waiting and count not in kept else None
