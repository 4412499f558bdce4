"""What a route gives at any input, as the sizing of it sees that."""

import numpy as np
from numpy.typing import NDArray

from engine.kernels.sizing import compose

Floats = NDArray[np.float64]


def route_output(
    cycle: NDArray[np.int64], sides: Floats, pieces: Floats, curves: Floats, amount_in: float
) -> float:
    """Return the output of a route's legs, rows of `sides` of `kernels.sizing_layout`."""
    cycles = cycle.reshape((1, cycle.size))
    return float(compose(cycles, 0, cycle.size, sides, pieces, curves, amount_in)[0])
