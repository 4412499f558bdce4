"""degenbot 0.6 in its own process: its core takes raw logs of pools that it is given.

A log goes in as hexadecimal text, as it does from a WebSocket; a reorganisation as the same logs
once more, the newest first.
"""

from typing import Any

from degenbot._ffi import Bot  # type: ignore[import-not-found]

from benchmarks.peers.worker import Answer, Task, serve, time_calls

FACTORY = "0x" + "22" * 20


def answer(tasks: list[Task]) -> list[Answer]:
    """Take each task's logs, one after the other, then take those of its last blocks back."""
    return [_answer(task) for task in tasks]


def _answer(task: Task) -> Answer:
    bot: Any = Bot(1)
    fee, scale = task["fee"]
    numbers = [
        bot.register_v2_pool(
            pair["address"],
            *pair["tokens"],
            *pair["reserves_raw"],
            *(scale - fee, scale) * 2,
            FACTORY,
        )
        for pair in task["pairs"]
    ]
    logs = iter(task["logs"])

    def take() -> None:
        bot.dispatch_log(*next(logs))

    durations = time_calls(take, len(task["logs"]))
    reserves = _reserves(bot, numbers)
    undone = [log for log in task["logs"] if log[3] > task["undone_from"]]
    undone.reverse()

    def undo() -> None:
        for log in undone:
            bot.dispatch_reorg_log(*log)

    undo_ns = time_calls(undo, 1)
    return {
        "durations_ns": durations,
        "reserves_raw": reserves,
        "undo_ns": undo_ns,
        "undone_raw": _reserves(bot, numbers),
    }


def _reserves(bot: Any, numbers: list[int]) -> list[list[int]]:
    pairs = [bot.get_pool(number).reserve_pair() for number in numbers]
    return [[int(pair.reserve0), int(pair.reserve1)] for pair in pairs]


if __name__ == "__main__":
    serve(answer)
