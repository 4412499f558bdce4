"""Which routes an executor can carry out.

These are orders at books, one transaction through pools of one chain, or both: then the pools
stand together, for two transactions of one route are no plan. `domain.mixed_routes` says the same
of opportunities.
"""

from engine.kernels.jit import borrowing
from engine.kernels.screen_layout import LEG


@borrowing
def is_traded(legs, route, count):
    """Tell whether an executor can carry out a route.

    Args:
        legs: float64 (edges, LEG_COLUMNS) of `screen_layout`.
        route: int64 (1, legs or more): edges in the order of the legs.
        count: how many legs it has.
    """
    chain, runs, is_in_run = 0, 0, False
    for h in range(count):
        edge = route[0, h]
        if legs[edge, LEG.BOOK] >= 0:
            is_in_run = False
            continue
        own = int(legs[edge, LEG.CHAIN])
        if own == 0 or (chain > 0 and own != chain):  # a bridge, or a second chain
            return False
        runs += not is_in_run
        chain, is_in_run = own, True
    return runs <= 1
