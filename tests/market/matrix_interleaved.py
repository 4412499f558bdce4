"""One writer and one reader, step by step: every point at which the one may meet the other.

Runs without compiled kernels, whose loads and stores can then be counted and interrupted:
`NUMBA_DISABLE_JIT=1 python -m tests.market.matrix_interleaved`. Prints counts as JSON.
"""

import functools
import json
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from engine.kernels import price_matrix as kernels
from engine.market.matrix_file import RowBusyError
from engine.market.matrix_reader import PriceMatrixReader
from tests.market.matrix_process import ROWS, is_whole, make_matrix, show_book, show_pool, torn_in

STORES = ("store_word", "store_release")
LOADS = ("load_word", "load_acquire")


class Steps:
    """Counts calls of memory operations, and does something else before one of them."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.at = -1
        self.count = 0
        self.meanwhile: Callable[[], None] | None = None
        for name in names:
            setattr(kernels, name, self._counted(getattr(kernels, name)))

    def interrupted(self, step: int, action: Callable[[], None], by: Callable[[], None]) -> bool:
        """Do the action, and the other before its numbered step; False if it has fewer steps."""
        self.at, self.count, self.meanwhile = step, 0, by
        action()
        is_done = self.meanwhile is None
        self.meanwhile = None
        return is_done

    def _counted(self, operation: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: int) -> object:
            meanwhile = self.meanwhile
            if meanwhile is not None and self.count == self.at:
                self.meanwhile = None
                meanwhile()
            self.count += 1
            return operation(*arguments)

        return counted


class World:
    """A writer and a reader of one block; what was found is counted by kind."""

    def __init__(self, folder: Path) -> None:
        self.board, self.matrix = make_matrix(folder / "prices")
        self.reader = PriceMatrixReader.open(folder / "prices", wait_ns_max=0)
        self.found: Counter[str] = Counter()
        self.counter = 0
        self.publish_all()

    def publish(self, row: int) -> None:
        if row == 0:
            show_book(self.board, self.matrix, self.counter)
        else:
            show_pool(self.matrix, row, self.counter)

    def publish_all(self) -> None:
        self.counter += 1
        for row in range(ROWS):
            self.publish(row)

    def look(self, row: int) -> None:
        asked = self.reader.version() - 1
        changes = self.reader.changed_since(asked)
        try:
            copy = self.reader.row(row)
        except RowBusyError:
            self.found["busy"] += 1
            return
        self.found["torn"] += not is_whole(copy)
        is_due = asked < copy.version <= changes.version
        self.found["missed"] += is_due and row not in changes.rows

    def look_at_each(self) -> None:
        self.found["torn"] += torn_in(self.reader.rows())

    def look_at_all(self) -> None:
        together = self.reader.rows_together(range(ROWS))
        order = together["frame_seq"].tolist()
        self.found["torn"] += torn_in(together)
        # Rows are published in turn: at any instant the first is ahead by one at most.
        self.found["apart"] += order != sorted(order, reverse=True) or order[0] - order[-1] > 1


def run(folder: Path) -> Counter[str]:
    world = World(folder)
    stores, loads = Steps(STORES), Steps(LOADS)
    for row in range(ROWS):
        publish, look = functools.partial(world.publish, row), functools.partial(world.look, row)
        step = 0
        world.counter += 1
        while stores.interrupted(step, publish, look):
            step += 1
            world.counter += 1
            world.found["stores"] += 1
    world.publish_all()
    for read in (world.look_at_all, world.look_at_each, functools.partial(world.look, 1)):
        step = 0
        while loads.interrupted(step, read, world.publish_all):
            step += 1
            world.found["loads"] += 1
    return world.found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(run(Path(name))))
