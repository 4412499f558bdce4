"""Gaps between two order books: how much to buy at one and sell at the other, and the gain.

With ask price p, bid price q, fees f and transfer cost t as ratios, one more unit gains
``q (1 - f_sell) - p (1 + f_buy + t)``. This falls along the walk, and so does the average net edge
(gain relative to the buy notional). The profit-maximising size is therefore where the next unit
loses, where the average edge would fall below the minimum, or where the size limit is reached.
"""

from numba import float64, int64

from engine.kernels.jit import inlined, kernel
from engine.kernels.layout import (
    AGE_NS_MAX,
    ASK,
    BID,
    BUY_BOOK,
    CHANGED_AT_NS,
    COUNT,
    EDGE_RATIO_MIN,
    FEE_RATIO,
    IS_LIVE,
    KEY,
    OUT_BUY_BOOK,
    OUT_BUY_WORST,
    OUT_GROSS_BPS,
    OUT_NET_BPS,
    OUT_NOTIONAL_QUOTE,
    OUT_PROFIT_QUOTE,
    OUT_SELL_BOOK,
    OUT_SELL_WORST,
    OUT_SIZE_BASE,
    PRICE_SCALE,
    ROUTES_FROM,
    ROUTES_TO,
    SELL_BOOK,
    SIZE,
    SIZE_BASE_MAX,
    SIZE_SCALE,
    TRANSFER_RATIO,
)


@inlined
def _is_fresh(state, terms, book, at_ns):
    return (
        state[book, IS_LIVE] == 1
        and state[book, COUNT + BID] > 0
        and state[book, COUNT + ASK] > 0
        and at_ns - state[book, CHANGED_AT_NS] <= terms[book, AGE_NS_MAX]
    )


@inlined
def _walk(state, levels, terms, route, out):
    """Walk one route to its best size and fill one output row; returns whether it is a hit."""
    buy = int(route[BUY_BOOK])
    sell = int(route[SELL_BOOK])
    asks = levels[2 * buy + ASK]
    bids = levels[2 * sell + BID]
    a = state[buy, COUNT + ASK] - 1
    b = state[sell, COUNT + BID] - 1
    pays_ratio = 1.0 + terms[buy, FEE_RATIO] + route[TRANSFER_RATIO]
    gets_ratio = 1.0 - terms[sell, FEE_RATIO]
    edge_ratio_min = route[EDGE_RATIO_MIN]
    ask = -asks[a, KEY] * terms[buy, PRICE_SCALE]
    bid = bids[b, KEY] * terms[sell, PRICE_SCALE]
    if bid * gets_ratio - ask * (pays_ratio + edge_ratio_min) <= 0.0:
        return False
    ask_left = asks[a, SIZE] * terms[buy, SIZE_SCALE]
    bid_left = bids[b, SIZE] * terms[sell, SIZE_SCALE]
    size = 0.0
    paid = 0.0
    received = 0.0
    slack = 0.0  # profit above the minimum edge; the average edge is too low once it is negative
    buy_worst = ask
    sell_worst = bid
    is_last = False
    while not is_last:
        gain = bid * gets_ratio - ask * pays_ratio
        if gain <= 0.0:
            break
        take = min(ask_left, bid_left)
        if size + take >= route[SIZE_BASE_MAX]:
            take = route[SIZE_BASE_MAX] - size
            is_last = True
        slack_gain = gain - edge_ratio_min * ask
        if slack + take * slack_gain < 0.0:
            take = slack / -slack_gain
            is_last = True
        if take > 0.0:
            size += take
            paid += take * ask
            received += take * bid
            slack += take * slack_gain
            buy_worst = ask
            sell_worst = bid
        ask_left -= take
        bid_left -= take
        if ask_left <= 0.0:
            a -= 1
            if a < 0:
                break
            ask = -asks[a, KEY] * terms[buy, PRICE_SCALE]
            ask_left = asks[a, SIZE] * terms[buy, SIZE_SCALE]
        if bid_left <= 0.0:
            b -= 1
            if b < 0:
                break
            bid = bids[b, KEY] * terms[sell, PRICE_SCALE]
            bid_left = bids[b, SIZE] * terms[sell, SIZE_SCALE]
    if size <= 0.0:
        return False
    profit = received * gets_ratio - paid * pays_ratio
    out[OUT_BUY_BOOK] = buy
    out[OUT_SELL_BOOK] = sell
    out[OUT_SIZE_BASE] = size
    out[OUT_NOTIONAL_QUOTE] = paid
    out[OUT_GROSS_BPS] = (received - paid) / paid * 1e4
    out[OUT_NET_BPS] = profit / paid * 1e4
    out[OUT_PROFIT_QUOTE] = profit
    out[OUT_BUY_WORST] = buy_worst
    out[OUT_SELL_WORST] = sell_worst
    return profit > 0.0


@kernel(
    int64(
        int64,
        int64,
        int64[:, ::1],
        int64[:, :, ::1],
        float64[:, ::1],
        float64[:, ::1],
        float64[:, ::1],
    ),
)
def find_gaps(book, at_ns, state, levels, terms, routes, out):
    """Walk every route of a changed book whose two books are live and fresh.

    Args:
        book: row of `state` that changed.
        at_ns: the time by which ages are judged (wall clock).
        state, levels, terms, routes: see `layout`.
        out: float64 (routes of the book at least, OUT_COLUMNS); its first rows are overwritten.

    Returns:
        The number of candidates written.
    """
    if not _is_fresh(state, terms, book, at_ns):
        return 0
    count = 0
    for r in range(int(terms[book, ROUTES_FROM]), int(terms[book, ROUTES_TO])):
        buy = int(routes[r, BUY_BOOK])
        peer = int(routes[r, SELL_BOOK]) if buy == book else buy
        if _is_fresh(state, terms, peer, at_ns) and _walk(
            state, levels, terms, routes[r], out[count]
        ):
            count += 1
    return count
