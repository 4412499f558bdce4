"""Gaps between two pools of the same tokens, and how much is best put through them.

Two pairs of constant products in a row are one: with what is kept after fees ``g``, what comes of
``a`` is ``g1 g2 y1 x2 a / (x1 y2 + g1 a (y2 + g2 y1))``, and most is left where its slope is 1.
"""

from itertools import permutations
from math import sqrt
from typing import Final, NamedTuple

from engine.pools.integers import PIPS
from engine.sandbox.world.depths import ProductDepth
from engine.sandbox.world.states import Standing
from engine.sandbox.world.values import WorldPool

KEPT_PARTS: Final = 1.0 - 1e-6
"""Of what the first pool is to give, so much goes into the second: floats round."""


class Gap(NamedTuple):
    """A way there and back.

    Attributes:
        token: that it begins and ends with.
        between: the other one.
        in_raw, middle_raw: of what is sold in the first pool, and in the second.
        gain_raw: of the token, before gas.
    """

    first: WorldPool
    second: WorldPool
    token: str
    between: str
    in_raw: int
    middle_raw: int
    gain_raw: int


def best_gap(at: list[Standing], token: str) -> Gap | None:
    """Return the widest gap among pools of the same two tokens, None if there is none after fees.

    Args:
        at: where the pools stand; those that are no product of two are left out.
        token: which way the gain is to be had.
    """
    pools = [one for one in at if _is_pair(one)]
    found = [gap for one, two in permutations(pools, 2) if (gap := _gap(one, two, token))]
    return max(found, key=lambda gap: gap.gain_raw, default=None)


def _is_pair(one: Standing) -> bool:
    return isinstance(one.depth, ProductDepth) and one.depth.weights == (1.0, 1.0)


def _gap(one: Standing, two: Standing, token: str) -> Gap | None:
    tokens = one.pool.tokens
    place = tokens.index(token)
    between = tokens[1 - place]
    x1, y1 = one.depth.held_raw[place], one.depth.held_raw[1 - place]
    back = two.pool.tokens.index(token)
    x2, y2 = two.depth.held_raw[back], two.depth.held_raw[1 - back]
    g1, g2 = 1.0 - one.pool.fee_pips / PIPS, 1.0 - two.pool.fee_pips / PIPS
    amount = (sqrt(g1 * g2 * x1 * y1 * x2 * y2) - x1 * y2) / (g1 * (y2 + g2 * y1))
    if amount < 1.0:
        return None
    middle = g1 * y1 * amount / (x1 + g1 * amount) * KEPT_PARTS
    gain = g2 * x2 * middle / (y2 + g2 * middle) - amount
    if middle < 1.0 or gain < 1.0:
        return None
    return Gap(one.pool, two.pool, token, between, int(amount), int(middle), int(gain))
