"""Layout of the market graph's arrays, shared by the graph and the kernels.

An *edge* is one way to turn one token into another at one place (a pool, a book, a bridge, a
transfer). A *pair* is all parallel edges from one token to another. Tokens below the core size
have a row and a column in the dense planes; the others, the *tail*, have only lists.

A graph is a tuple of arrays; capacities are the lengths of its axes:

==========  ========================  ===========================================================
dense       float32 (4, core, core)   planes PLANE
pair_of     int32 (core, core)        pair from one core token to another, or NONE
edges       int32 (edges, 8)          columns EDGE
rates       float64 (edges,)          exact log rate after fees, or DEAD
pairs       int32 (pairs, 8)          columns PAIR
weights     float32 (pairs,)          log rate of the pair's best edge, adjusted by potentials
tokens      int32 (tokens, 8)         columns TOKEN
potentials  float64 (4, tokens)       rows POTENTIALS
state       float64 (STATE_ENTRIES,)  entries GRAPH_STATE, then the hubs, see HUB
==========  ========================  ===========================================================
"""

from typing import NamedTuple

NONE = -1

# Log rates. A rate outside of the limits is no rate: it is stored as DEAD.
LOG_MAX = 200.0
DEAD = -1e6
ALIVE_MIN = -1e5  # anything below has a dead leg
WEIGHT_MIN = -8.0  # a weight may be too high, never too low; so the worst are raised to this

# Whatever float32 rounds away in a sum of five legs is less than this part of the largest weight:
# five stored values, and sums of 2, 3, 4 and 5 of them, are off by 19 units of 2**-24 at most.
ROUNDING = 2.0**-19

# A bound is raised by this much more than it needs, for each of its legs, so that small
# moves need no work on it. The price is a bound that is too high: an exact look without result.
HEADROOM = 1e-4

# A token with so many pairs is a hub: bounds by way of it are in as many rows, and are raised in a
# row when that is read. At most so many are.
HUB_PAIRS_MIN = 256
HUBS_MAX = 16

LANES = 64  # core sizes are multiples of this: four vectors of sixteen

LEGS_MAX = 5
PATH_MAX = LEGS_MAX - 1


class _Plane(NamedTuple):
    """Planes of `dense`."""

    BEST_LOG: int = 0
    BEST_LOG_T: int = 1  # transposed
    TWO_HOP: int = 2  # upper bound of the best two legs between two tokens
    COVERED: int = 3  # weight up to which the two-hop bounds hold without being raised


class _Edge(NamedTuple):
    """Columns of `edges`."""

    SOURCE: int = 0
    TARGET: int = 1
    PLACE: int = 2
    PAIR: int = 3  # NONE for a free edge
    NEXT: int = 4  # next parallel edge, or next free edge
    STAMP: int = 5  # position in the batch under way, from 1; 0 outside of it
    WATCH: int = 6  # 1 if any change of its place has it scanned, see `cycles`
    CHAIN: int = 7  # of a pool, from 1 on; 0 of a book; NONE where no transaction goes (a bridge)


class _Pair(NamedTuple):
    """Columns of `pairs`."""

    SOURCE: int = 0
    TARGET: int = 1
    HEAD: int = 2  # first parallel edge
    BEST: int = 3  # parallel edge with the best rate
    OUT_NEXT: int = 4  # next pair of the same source; next free pair
    OUT_PREVIOUS: int = 5
    IN_NEXT: int = 6  # next pair of the same target
    IN_PREVIOUS: int = 7


class _Token(NamedTuple):
    """Columns of `tokens`: first pairs of lists, by direction and by the token at the other end."""

    OUT: int = 0  # to core tokens; OUT + 1: to tail tokens
    IN: int = 2  # from core tokens; IN + 1: from tail tokens
    PAIRS: int = 4  # how many pairs the token has


class _Potentials(NamedTuple):
    """Rows of `potentials`."""

    OWN: int = 0
    OUT_MAX: int = 1  # upper bound of the weights that leave the token, and of those that reach it
    IN_MAX: int = 2
    RAISES_SEEN: int = 3  # how many raises of hubs the two-hop bounds of a core token's row have


class _Hub(NamedTuple):
    """Entries of a hub in `state`."""

    TOKEN: int = 0
    RAISE: int = 1  # the number of its last raise, from 1 on; 0 where there is no hub


class _GraphState(NamedTuple):
    """Entries of `state`."""

    EDGE_FREE: int = 0
    PAIR_FREE: int = 1
    COLUMNS: int = 2  # core columns in use, rounded up to LANES
    SCALE: int = 3  # largest absolute weight so far
    TAIL_PAIRS: int = 4  # pairs that start or end in the tail
    RAISED: int = 5  # how many raises of hubs there were
    HUBS: int = 6  # the first of the hubs


class _Cycle(NamedTuple):
    """Columns of what a scan found: float64 (legs - 2, cycles, CYCLE_COLUMNS).

    Each number of legs has its own rows; where there is no room for more, the worst one is first.
    """

    GAIN: int = 0  # sum of exact log rates, less UNTRADED_LOG where no executor trades the cycle
    LEGS: int = 1
    EDGE: int = 2  # the changed one, then the others in the order of their legs; NONE at the end


class _Tally(NamedTuple):
    """Entries of a scan's int64 counts.

    The entries from 2 to LEGS_MAX say how many rows there are with so many legs.
    """

    OVERFLOW: int = 0  # cycles that found no room
    CHOSEN: int = LEGS_MAX + 1  # edges of a cycle under way
    WALKED: int = LEGS_MAX + 1 + PATH_MAX  # pairs of a walk under way
    UNSIZED: int = LEGS_MAX + 1 + 2 * PATH_MAX  # of all scans: may gain, and were not sized
    UNWEIGHED: int = LEGS_MAX + 2 + 2 * PATH_MAX  # of all scans: no room, as far as counted
    UNTRADED: int = LEGS_MAX + 3 + 2 * PATH_MAX  # as UNSIZED, of those that no executor trades


PLANE = _Plane()
EDGE = _Edge()
PAIR = _Pair()
TOKEN = _Token()
POTENTIALS = _Potentials()
HUB = _Hub()
GRAPH_STATE = _GraphState()
CYCLE = _Cycle()
TALLY = _Tally()
PLANES = len(PLANE)
EDGE_COLUMNS = len(EDGE)  # 8: an edge never spans two cache lines
PAIR_COLUMNS = len(PAIR)
TOKEN_COLUMNS = 8  # padded
POTENTIAL_ROWS = len(POTENTIALS)
HUB_ENTRIES = len(HUB)
STATE_ENTRIES = GRAPH_STATE.HUBS + HUB_ENTRIES * HUBS_MAX
CYCLE_COLUMNS = CYCLE.EDGE + LEGS_MAX
TALLY_ENTRIES = TALLY.UNTRADED + 1

UNTRADED_LOG = 1e6
"""Behind every cycle that can be traded: no sum of log rates comes near it."""

# And for a scan under way: int8 (core,) marks, float64 (tokens,) bounds.

# Which cycles a scan leaves out, because another edge of theirs reports them.
EVERY = 0
LATER_IN_BATCH = 1  # those with an edge stamped earlier
