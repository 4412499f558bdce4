"""Screen of what transactions cost."""

from bot.render import words
from bot.render.screen import Lines, Mark, Screen, Text
from engine.bus.gas_report import GasLine, GasReport

_LEGEND = "Gas now → next block, and what a route of two swaps pays."
_NOTHING = "No chain has a pool or a price of gas."


def render_gas(report: GasReport) -> Screen:
    """Show two lines for each chain: gas and a route of two swaps; bytes, own asset, age."""
    usable = sum(_is_usable(one) for one in report.chains)
    lines = tuple(row for one in report.chains for row in _rows(one))
    return Screen(
        title=f"Gas: {usable} of {len(report.chains)} chains can be paid",
        mark=Mark.GOOD if usable == len(report.chains) else Mark.WARN,
        blocks=(Text(_LEGEND), Lines(lines)) if lines else (Text(_NOTHING),),
        note=words.BASIS_WORDS[report.basis],
    )


def _is_usable(line: GasLine) -> bool:
    return line.gwei is not None and line.native_usd is not None and not line.too_old


def _rows(line: GasLine) -> tuple[str, str]:
    if line.gwei is None:
        return f"{line.chain} no price of gas", "  its pools are in no route"
    now = "" if line.now_gwei is None else f"{words.size(line.now_gwei)}→"
    gas = f"{line.chain} {now}{words.size(line.gwei)} gwei"
    if line.native_usd is None:
        return gas, f"  no price of {line.native}: in no route"
    route = "" if line.route_usd is None else f" {words.usd(line.route_usd)}"
    age = "assumed" if line.age_ms is None else f"{words.age(line.age_ms)} old"
    if line.too_old:
        return gas + route, f"  {age}: too old, no plan"
    bytes_usd = f"L1 {words.usd(line.data_usd)}, " if line.data_usd else ""
    return gas + route, f"  {bytes_usd}{line.native} {_whole(line)}, {age}"


def _whole(line: GasLine) -> str:
    assert line.native_usd is not None
    usd = line.native_usd
    return f"${usd:,.0f}" if usd >= 100 else words.usd(usd)  # noqa: PLR2004 - no cents of a large one
