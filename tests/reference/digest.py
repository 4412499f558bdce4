"""A digest of what the kernels make of a fixed stream of frames; run as a script, it prints it."""

import hashlib
import random
from decimal import Decimal

import numpy as np

from engine.detect.graph.live_graph import LiveGraph
from engine.detect.graph.screen_terms import Screen
from engine.detect.screening.screens import Screens
from engine.domain.assets import AssetCode
from engine.market.board import Board
from engine.portfolio.costs import Costs
from engine.ports import LevelForm
from tests.reference.world import AGE_NS_MAX, START_NS, make_instrument

FRAMES = 1_500
VALUED_AT_FRAME = 28
"""When two of the books have a gap."""


def digest() -> str:
    """Drive frames of every form, good and bad, through three books and screen each."""
    rng = random.Random(11)
    instruments = [make_instrument(name) for name in ("a", "b", "c")]
    board = Board(instruments, levels_max=24)
    costs = Costs(fee_bps_taker={one.venue: Decimal(3) for one in instruments})
    screen = Screen(edge_bps_min=Decimal(1), age_ns_max=AGE_NS_MAX)
    graph = LiveGraph(board, costs, screen)
    screens = Screens(board, graph)
    seen = hashlib.sha256()
    for number in range(FRAMES):
        book, form = rng.randrange(3), rng.choice(list(LevelForm))
        bids, asks = make_frame(rng, form)
        is_snapshot = number < 3 or rng.random() < 0.2
        put = board.replace if is_snapshot else board.apply
        outcome = put(book, form, bids, asks, START_NS + number)
        count = screens.screen(book, START_NS + number, 0)
        board.changed.clear()
        seen.update(bytes((int(outcome), int(count))))
        if number == VALUED_AT_FRAME:
            graph.set_values({AssetCode("BTC"): 100.0, AssetCode("USD"): 1.0})
            graph.settle()
            count = screens.screen_starts(START_NS + number, 0)
        seen.update(np.ascontiguousarray(board.state).tobytes())
        for side in (0, 1):
            seen.update(np.ascontiguousarray(board.side(book, side)).tobytes())
        seen.update(screens.out[:count].tobytes())
    return seen.hexdigest()


def make_frame(rng: random.Random, form: LevelForm) -> tuple[bytes, bytes]:
    """Levels around 100, now and then a broken number or a broken frame."""
    sides: tuple[list[str], list[str]] = ([], [])
    for _ in range(rng.randrange(8)):
        side = rng.randrange(2)
        cents = 10_000 + (rng.randrange(40) if side else -rng.randrange(40)) + rng.randrange(-5, 6)
        price = f"{cents / 100:.2f}" if rng.random() > 0.01 else "1.005"
        size = rng.choice(["0", "1.5", "0.00000001", "2e-3", "700"])
        word = ("buy", "sell")[side]
        text = {
            LevelForm.PAIRS: f'["{price}", {size}]',
            LevelForm.SIDED: f'["{word}","{price}","{size}"]',
            LevelForm.COINBASE: f'{{"side":"{("bid", "offer")[side]}","price_level":"{price}",'
            f'"new_quantity":"{size}"}}',
            LevelForm.OBJECTS: f'{{"price":"{price}","amount":"{size}","x":null}}',
        }[form]
        is_one_array = form in {LevelForm.SIDED, LevelForm.COINBASE}
        sides[0 if is_one_array else side].append(text)
    joined = [f"[{','.join(side)}]".encode() for side in sides]
    if rng.random() < 0.02:
        joined[0] = joined[0][:-2]
    return joined[0], b"" if form in {LevelForm.SIDED, LevelForm.COINBASE} else joined[1]


if __name__ == "__main__":
    print(digest())
