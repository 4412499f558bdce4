"""Mutants that change nothing that anybody could see, each with the reason."""

# ruff: noqa: E501 - a mutant's name is one line

from typing import Final

EQUIVALENT: Final[dict[str, str]] = {
    "engine/portfolio/positions.py Positions.note_prices: self._turn + 1 -> self._turn - 1": "a turn the other way round visits the same assets as often",
    "engine/storage/residuals.py _old_carry_quote: row.residual_base > 0 -> row.residual_base >= 0": "only rows with something left over are selected",
    "engine/storage/residuals.py _old_carry_quote: select(fills.c.price, fills.c.size_base) -> select(fills.c.size_base, fills.c.price)": "columns are read by name",
    "engine/operate/recorder.py Recorder.write_out: self._segment.flush() -> pass": "flushing the compressor flushes the file that it writes to",
    "engine/operate/recorder.py Recorder.write: end > len(self._buffer) -> end <= len(self._buffer)": "a buffer more or one that grows: the same is recorded",
    "engine/storage/append.py _append_latch: False -> True": "readers are woken and find nothing new",
    "engine/execute/late.py LateFinished.story: del found -> pass": "the name is not used",
    "engine/execute/late.py correct: 0 -> 1": "the figure is replaced below",
    "engine/execute/paper_orders.py PaperOrders.__init__: 0 -> 1": "numbers of plans only key the draws of latencies",
    "engine/operate/kill_switch.py KillSwitch.kill: self._was_killed = True -> pass": "the next look sets it, with the time of this very kill",
    "engine/storage/ledger.py Ledger.append: 1 -> 2": "changes are only compared with an earlier number of theirs",
    "engine/execute/fill.py PaperVenue._walk: EXACT.add(size_sum, size) -> EXACT.add(size, size_sum)": "a sum in another order",
    "engine/execute/paper_blocks.py PaperBlocks._land: OrderEvent.CANCELLED if receipt.is_reverted else OrderEvent.FILLED -> OrderEvent.FILLED if receipt.is_reverted else OrderEvent.CANCELLED": "what a transaction came to its receipt says",
    "engine/execute/fill.py PaperVenue._there: break -> continue": "of nothing that is left, nothing more is taken",
    "engine/decide/bounds/proof.py ProofLimit.used: del at_ns -> pass": "the name is not used",
    "engine/execute/paper_orders.py PaperOrders.begin: 1 -> 2": "numbers of plans only key the draws of latencies",
    "engine/portfolio/costs.py Costs.fee: ceil_share(notional_quote, fee_bps) -> ceil_share(fee_bps, notional_quote)": "a product in another order",
    "engine/portfolio/leftovers.py LastPrices._discounted: 0 -> 1": "a nanosecond of age is no hour",
    "engine/execute/unwinding.py close: limit <= 0 -> limit < 0": "a limit is above 0: the band is below all of a price, and a sale's limit is rounded up",
}
