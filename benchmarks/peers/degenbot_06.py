"""degenbot 0.6 in its own process: its Rust engine over pools whose states are given.

Each path is solved by itself, called from Python, and all paths of the task in one call, which
uses every core. Before each call one pool of each path is told a state that differs by a unit, so
that nothing can be remembered from the call before.
"""

from functools import partial
from typing import Any

from degenbot._ffi import ArbitrageEngine, Bot  # type: ignore[import-not-found]

from benchmarks.peers.worker import Answer, Task, serve, time_calls

ROUNDS = 40
FACTORY = "0x" + "22" * 20
"""One that it does not know, or it would ask for addresses that such a factory gives."""


class _Chain:
    """Pools in one core, numbered as they come."""

    def __init__(self) -> None:
        self.bot: Any = Bot(1)
        self.block = 1
        self.count = 0

    def add(self, leg: Task) -> tuple[int, str]:
        self.count += 1
        address = f"0x{self.count:040x}"
        if leg["kind"] == "v2":
            fee, scale = leg["fee"]
            return self.bot.register_v2_pool(
                address, *leg["tokens"], *leg["reserves_raw"], *(scale - fee, scale) * 2, FACTORY
            ), address
        ticks = {int(tick): (abs(net), net, 1) for tick, net in leg["nets"].items()}
        shape = leg["fee_pips"], leg["tick_spacing"], FACTORY
        price = leg["sqrt_price_x96"], leg["liquidity"], leg["tick"]
        return self.bot.register_v3_pool(
            address, *leg["tokens"], *shape, *price, ticks, 0, "tracked"
        ), address

    def tell(self, leg: Task, address: str, bump: int) -> None:
        self.block += 1
        if leg["kind"] == "v2":
            first, second = leg["reserves_raw"]
            self.bot.update_v2_pool(address, first + bump, second, self.block)
            return
        price = leg["sqrt_price_x96"] + bump
        self.bot.update_v3_pool(address, price, leg["liquidity"], leg["tick"], self.block)


def _solve(tasks: list[Task], rounds: int) -> tuple[list[dict[str, int]], list[int]]:
    chain = _Chain()
    engine = ArbitrageEngine(chain.bot)
    moved, path_ids = [], []
    for task in tasks:
        made = [chain.add(leg) for leg in task["legs"]]
        ways = [leg["is_from_first"] for leg in task["legs"]]
        path_id, _ = engine.register_path(
            [(pool, way) for (pool, _), way in zip(made, ways, strict=True)]
        )
        path_ids.append(path_id)
        moved.append((task["legs"][0], made[0][1]))

    def tell(number: int) -> None:
        for leg, address in moved:
            chain.tell(leg, address, (rounds - number - 1) % 2)

    durations = time_calls(lambda: engine.solve_all_paths(chain.block), rounds, before=tell)
    results, _ = engine.latest_results()
    by_id = {row[0]: {"input": int(row[1]), "gain": int(row[2])} for row in results}
    return [by_id.get(path_id, {"input": 0, "gain": 0}) for path_id in path_ids], durations


def answer(tasks: list[Task]) -> list[Answer]:
    """Size every cycle and time it, alone and with the others."""
    _, together_ns = _solve(tasks, ROUNDS)
    each_ns = [duration // len(tasks) for duration in together_ns]
    answers = []
    for found, durations in map(partial(_solve, rounds=ROUNDS), ([task] for task in tasks)):
        answers.append(found[0] | {"durations_ns": durations, "together_ns": each_ns})
    return answers


if __name__ == "__main__":
    serve(answer)
