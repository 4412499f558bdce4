"""A campaign of mutated calldata: ``python -m tests.chains.pending.campaign_calldata COUNT SEED``.

Each call is a true one with bytes, words, offsets and lengths changed. It has to be decoded or
refused with the one kind of error, in bounded time, and what is decoded has to be predicted without
an error. A failure prints the seed of its call.
"""

import random
import sys
import time
from collections import Counter
from typing import Final

from engine.chains.pending.calldata import UndecodableError
from engine.chains.pending.decode import decode
from engine.chains.pending.predict import predict
from engine.domain.pools import Pool
from engine.pools.snapshot_rows import PoolState
from tests.chains.pending.routers_there import ETHEREUM
from tests.chains.pending.samples import SAMPLES, SENDER

WORD: Final = 32
NASTY: Final = (0, 1, 2, 31, 32, 2**24, 2**32 - 1, 2**64, 2**160, 2**255, 2**256 - 1)


class Nothing:
    """No pools at all."""

    def find(self, address: str) -> tuple[Pool, PoolState] | None:
        del address
        return None


def mutated(text: bytes, rng: random.Random) -> bytes:
    """Change a call in one to four places."""
    changed = bytearray(text)
    for _ in range(rng.randint(1, 4)):
        at = 4 + WORD * rng.randrange(max((len(changed) - 4) // WORD, 1))
        match rng.randrange(6):
            case 0:
                changed[at : at + WORD] = rng.choice(NASTY).to_bytes(WORD)
            case 1:
                changed[at : at + WORD] = (WORD * rng.randrange(64)).to_bytes(WORD)
            case 2:
                del changed[rng.randrange(4, len(changed) + 1) :]
            case 3:
                changed[at:at] = changed[4 : 4 + WORD * rng.randrange(8)]
            case 4 if len(changed) > 4:
                changed[rng.randrange(4, len(changed))] ^= 1 << rng.randrange(8)
            case _:
                changed[at : at + WORD] = rng.randbytes(WORD)
    return bytes(changed)


def is_safe(to: str, text: bytes) -> bool:
    """Say whether a call is decoded and predicted, or refused: anything else raises."""
    return bool(outcome_of(to, text))


def outcome_of(to: str, text: bytes) -> str:
    try:
        intent = decode(text, to=to, sender=SENDER, value_raw=10**18, routers=ETHEREUM)
    except UndecodableError as error:
        return error.why
    assert intent is not None
    return predict(intent, Nothing(), at_s=0).outcome


def main(count: int, seed: int) -> None:
    """Run the campaign and print what became of the calls."""
    calls = list(SAMPLES.values())
    outcomes: Counter[str] = Counter()
    slowest_s, started = 0.0, time.perf_counter()
    for index in range(count):
        rng = random.Random(f"{seed}:{index}")
        to, _, text = rng.choice(calls)
        begun = time.perf_counter()
        try:
            outcomes[outcome_of(to, mutated(text, rng))] += 1
        except Exception:
            print(f"call {index} of seed {seed} was neither decoded nor refused")
            raise
        slowest_s = max(slowest_s, time.perf_counter() - begun)
    spent_s = time.perf_counter() - started
    print(f"{count} calls in {spent_s:.1f} s, the slowest {slowest_s * 1_000:.1f} ms")
    for outcome, times in outcomes.most_common():
        print(f"{times:>9} {outcome}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
