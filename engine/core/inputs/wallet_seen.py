"""What is ours on a chain was read there, at a block; the books are compared with it."""

from typing import Final

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.domain.told import WalletSeen


def _take(core: Middle, given: Input[WalletSeen]) -> Answers:
    core.pipeline.wallet_seen(given.payload, given.at_ns)
    return NO_ANSWERS


WALLET_SEEN: Final = Kind(number=36, name="wallet seen", payload=WalletSeen, take=_take)
