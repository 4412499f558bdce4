"""A sample of the campaign `make detector-cases`, and the seams of real pools' pieces."""

import random
from decimal import Decimal

import numpy as np
import pytest

from engine.detect.sizing.pieces import check_pieces
from engine.domain.assets import AssetCode
from engine.kernels.concentrated import fill_side
from engine.kernels.sizing_layout import PIECE, PIECE_COLUMNS
from engine.pools.concentrated import ConcentratedState
from engine.pools.snapshots import state_of
from engine.sandbox.pools import load_pools
from tests.detect.detector_campaign import check_book, check_hostile, check_route
from tests.pools.uniswap_states import pack_concentrated

START = {AssetCode("BTC"): Decimal(61838), AssetCode("ETH"): Decimal("2685.50")}


@pytest.mark.parametrize(
    ("check", "cases"), [(check_book, 200), (check_route, 200), (check_hostile, 20_000)]
)
def test_a_sample_of_the_campaign_breaks_no_rule(check: object, cases: int) -> None:
    assert callable(check)
    for seed in range(cases):
        assert check(random.Random(seed)) is None, seed


def test_pieces_of_real_pools_start_where_others_end() -> None:
    checked = 0
    for snapshot in load_pools(START):
        state = state_of(snapshot)
        if not isinstance(state, ConcentratedState):
            continue
        packed = pack_concentrated(state)
        for token_in in (0, 1):
            room = np.zeros((len(packed.ticks) + 2, PIECE_COLUMNS))
            count = fill_side(packed.pool, packed.ticks, token_in, 1.0, 1.0, room)
            pieces = check_pieces(room[:count], what="a pool")
            width = np.diff(pieces[:, PIECE.CIN])
            ends = pieces[:-1, PIECE.COUT] + pieces[:-1, PIECE.RATE] * width / (
                1 + pieces[:-1, PIECE.BEND] * width
            )
            assert np.abs(ends - pieces[1:, PIECE.COUT]).max() <= 1e-9 * pieces[-1, PIECE.COUT]
            checked += count
    assert checked > 1_000
