"""Layout of the market graph's arrays, shared by the graph and the kernels.

An *edge* is one way to turn one token into another at one place (a pool, a book, a bridge, a
transfer). A *pair* is all parallel edges from one token to another. Tokens below the core size
have a row and a column in the dense planes; the others, the *tail*, have only lists.

A graph is a tuple of arrays; capacities are the lengths of its axes:

==========  ========================  ===========================================================
dense       float32 (4, core, core)   planes BEST_LOG, BEST_LOG_T (transposed), TWO_HOP, COVERED
pair_of     int32 (core, core)        pair from one core token to another, or NONE
edges       int32 (edges, 8)          columns EDGE_*
rates       float64 (edges,)          exact log rate after fees, or DEAD
pairs       int32 (pairs + 1, 8)      columns PAIR_*; the last row is the empty pair
weights     float32 (pairs + 1,)      log rate of the pair's best edge, adjusted by potentials
tokens      int32 (tokens, 8)         columns TOKEN_*
potentials  float64 (3, tokens)       rows POTENTIAL, OUT_MAX, IN_MAX
state       float64 (6,)              entries *_FREE, COLUMNS, VERSION, SCALE, TAIL_PAIRS
==========  ========================  ===========================================================
"""

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

# Planes of `dense`.
BEST_LOG = 0
BEST_LOG_T = 1
TWO_HOP = 2  # upper bound of the best two legs between two tokens
COVERED = 3  # weight up to which the two-hop bounds hold without being raised
PLANES = 4
LANES = 64  # core sizes are multiples of this: four vectors of sixteen

# Columns of `edges`.
EDGE_SOURCE = 0
EDGE_TARGET = 1
EDGE_PLACE = 2
EDGE_PAIR = 3  # NONE for a free edge
EDGE_NEXT = 4  # next parallel edge, or next free edge
EDGE_STAMP = 5  # position in the batch under way, from 1; 0 outside of it
EDGE_WATCH = 6  # 1 if any change of its place has it scanned, see `cycles`
EDGE_COLUMNS = 8  # padded: an edge never spans two cache lines

# Columns of `pairs`.
PAIR_SOURCE = 0
PAIR_TARGET = 1
PAIR_HEAD = 2  # first parallel edge
PAIR_BEST = 3  # parallel edge with the best rate
PAIR_OUT_NEXT = 4  # next pair of the same source; next free pair
PAIR_OUT_PREVIOUS = 5
PAIR_IN_NEXT = 6  # next pair of the same target
PAIR_IN_PREVIOUS = 7
PAIR_COLUMNS = 8

# Columns of `tokens`: the first pair of four lists, by direction and by the token at the other end.
TOKEN_OUT = 0  # to core tokens; TOKEN_OUT + 1: to tail tokens
TOKEN_IN = 2  # from core tokens; TOKEN_IN + 1: from tail tokens
TOKEN_PAIRS = 4  # how many pairs the token has
TOKEN_COLUMNS = 8  # padded

# Rows of `potentials`.
POTENTIAL = 0
OUT_MAX = 1  # upper bound of the weights that leave the token, and of those that reach it
IN_MAX = 2
POTENTIAL_ROWS = 3

# Entries of `state`.
EDGE_FREE = 0
PAIR_FREE = 1
COLUMNS = 2  # core columns in use, rounded up to LANES
VERSION = 3  # bumped when a pair comes into being: an index of earlier pairs is incomplete
SCALE = 4  # largest absolute weight so far
TAIL_PAIRS = 5  # pairs that start or end in the tail
STATE_ENTRIES = 6

# What a scan found: float64 (legs - 2, cycles, OUT_COLUMNS), for each number of legs its own rows;
# where there is no room for more, the worst one is first.
OUT_GAIN = 0  # sum of exact log rates
OUT_LEGS = 1
OUT_EDGE = 2  # the changed edge, then the others in the order of their legs; NONE after the last
LEGS_MAX = 5
PATH_MAX = LEGS_MAX - 1
INDEX_LEGS_MAX = 4
OUT_COLUMNS = OUT_EDGE + LEGS_MAX

# And int64 (COUNTS,): the entries from 2 to LEGS_MAX say how many rows there are with so many legs.
OVERFLOW = 0  # cycles that found no room
ROWS = 1  # of an index under way
CHOSEN = LEGS_MAX + 1  # edges of a cycle under way
WALKED = CHOSEN + PATH_MAX  # pairs of a walk under way
UNSIZED = WALKED + PATH_MAX  # of all scans: cycles that may gain and were not sized
UNWEIGHED = UNSIZED + 1  # of all scans: cycles that found no room, as far as they were counted
COUNTS = UNWEIGHED + 1

# And for a scan under way: int8 (core,) marks, float64 (tokens,) bounds.

# Which cycles a scan leaves out, because another edge of theirs reports them.
EVERY = 0
LATER_IN_BATCH = 1  # those with an edge stamped earlier
LOWEST_EDGE = 2  # those with an edge of a lower number
LOWEST_FROM_TAIL = 3  # those with an edge of a lower number that starts in the tail
