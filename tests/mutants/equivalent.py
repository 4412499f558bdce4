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
    "engine/execute/paper.py PaperExecutor.__init__: 0 -> 1": "numbers of plans only key the draws of latencies",
    "engine/operate/kill_switch.py KillSwitch.kill: self._was_killed = True -> pass": "the next look sets it, with the time of this very kill",
    "engine/storage/ledger.py Ledger.append: 1 -> 2": "changes are only compared with an earlier number of theirs",
    "engine/execute/fill.py PaperVenue._walk: EXACT.add(size_sum, size) -> EXACT.add(size, size_sum)": "a sum in another order",
}
