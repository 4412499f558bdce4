"""`make bench-pictures`: measure how scans grow, and draw the pictures of docs/detector.md.

`python -m benchmarks.pictures --stored` draws what was measured last. The picture of a route's gain
is computed by the engine's own code from recorded pools: nothing in it depends on the machine.
"""

import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from benchmarks import growth, page
from benchmarks.peers.cycles import OurCycle
from benchmarks.peers.recorded import Cycle, cycles, gain_of
from engine.detect.sizing.pieces import Pieces

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
SIZE_IN = (8.0, 3.2)
BLUE, ORANGE, GREY = "#1f5fa8", "#d9730d", "#888888"
WETH_RAW = 10**18
GWEI_RAW = 10**9

STAIR_GWEI = 800
"""Half the width of the picture of whole units."""


def _save(figure: Figure, name: str) -> None:
    figure.tight_layout()
    mpl.rcParams["svg.hashsalt"] = "syndicate"  # the same picture from the same figures
    figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None})


def _panels() -> tuple[Figure, Axes, Axes]:
    figure = Figure(figsize=SIZE_IN)
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        axes.grid(visible=True, color="#e6e6e6")
        axes.spines[["top", "right"]].set_visible(False)
    return figure, left, right


def draw_growth(points: list[growth.Point], along: str, label: str) -> None:
    """Draw latency and throughput along one of tokens, pools and legs."""
    chosen = [point for point in points if point.along == along]
    at = [getattr(point, along) for point in chosen]
    figure, left, right = _panels()
    for name, said, color in (
        ("median", "median", BLUE),
        ("p99", "p99", ORANGE),
        ("p999", "p99.9", GREY),
    ):
        values = [getattr(point, name) for point in chosen]
        left.plot(at, values, marker="o", color=color, label=said)
    one_by_one = [point.events_per_s for point in chosen]
    in_blocks = [point.events_in_blocks_per_s for point in chosen]
    right.plot(at, one_by_one, marker="o", color=BLUE, label="one by one")
    right.plot(at, in_blocks, marker="o", color=ORANGE, label=f"in blocks of {growth.BLOCK}")
    left.set(title="us per event, from Python", yscale="log", ylim=(1.0, None))
    left.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    left.yaxis.set_minor_formatter(NullFormatter())
    right.set(title="events per second, one core", ylim=(0.0, None))
    for axes in (left, right):
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.set_xlabel(label)
        if along != "legs":
            axes.set_xscale("log", base=2)
        axes.set_xticks(at, [f"{value:,}" for value in at])
        axes.legend(frameon=False, fontsize=8)
    _save(figure, f"growth-{along}")


def _gains(cycle: Cycle, inputs: list[int], least: int) -> list[float]:
    """Return gains in gwei above some gain; differences of large numbers are taken in integers."""
    return [(gain_of(cycle, amount) - least) / GWEI_RAW for amount in inputs]


def draw_gain(cycle: Cycle, cycle_of_coarse_units: Cycle) -> None:
    """Draw a route's gain over its input and where pieces end; of another one, unit by unit."""
    figure, left, right = _panels()
    case = OurCycle(cycle)
    case.size_and_confirm()
    best, top = case.found
    inputs = [best * share // 150 for share in range(3, 301)]
    for at in _ends(case.pieces[0]):
        if at * WETH_RAW < inputs[-1]:
            left.axvline(at, color=GREY, linewidth=0.5)
    gains = [gain / GWEI_RAW for gain in _gains(cycle, inputs, 0)]
    left.plot([amount / WETH_RAW for amount in inputs], gains, color=BLUE)
    left.plot([best / WETH_RAW], [top / WETH_RAW], "o", color=ORANGE)
    left.set(xlabel="paid, WETH", ylabel="gain, WETH", title="from afar: one curve in pieces")

    case = OurCycle(cycle_of_coarse_units)
    case.size_and_confirm()
    best, top = case.found
    steps = range(-STAIR_GWEI, STAIR_GWEI + 1)
    near = _gains(cycle_of_coarse_units, [best + step * GWEI_RAW for step in steps], top)
    right.plot(steps, near, color=BLUE, linewidth=0.8)
    right.plot([0], [0], "o", color=ORANGE)
    right.set(
        xlabel="paid more than chosen, gwei",
        ylabel="gains more, gwei",
        title="near by: stairs of whole units",
    )
    _save(figure, "gain-of-a-route")


def _ends(pieces: Pieces) -> list[float]:
    return [float(start) for start in pieces[1:, 0]]


def main() -> int:
    """Measure unless told not to, and draw."""
    if "--stored" not in sys.argv[1:]:
        sys.stderr.write("bench-pictures: scans (some ten seconds) ...\n")
        growth.write(growth.measure_all())
    points = growth.load()
    per_token, of_pools = growth.POOLS_PER_TOKEN, growth.TOKENS_OF_POOLS
    draw_growth(points, "tokens", f"tokens, {per_token} pools each")
    draw_growth(points, "pools", f"pools between {of_pools} tokens")
    draw_growth(points, "legs", f"most legs; {of_pools} tokens, {growth.POOLS_OF_LEGS:,} pools")
    kinds = dict(cycles())
    draw_gain(kinds["v3 x v3"][5], kinds["v2 x v3"][5])
    page.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
