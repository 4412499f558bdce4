"""Frames per second of each feed into a real board: ``python -m tests.connectors.rates``.

Whole recordings are replayed in memory; the time is that of `feed.frame` alone, the share of the
board's own `apply` is measured by the same frames with the board replaced by one that does nothing.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence

from engine.market.board import Board
from engine.ports import Applied, Feed, Fetch
from tests.connectors import recordings
from tests.connectors.test_recordings import (
    PATIENT,
    RECORDINGS,
    Recording,
    advanced_trade,
    make_instruments,
)


class NoBoard(Board):
    """A board that keeps nothing, to see what the feed alone costs."""

    def replace(self, *_: object) -> Applied:
        return Applied.OK

    def apply(self, *_: object) -> Applied:
        return Applied.OK


def frames_of(recording: Recording) -> list[recordings.Line]:
    lines = list(recordings.read(recording.name))
    if recording.venue != "coinbase":
        return lines
    return [
        recordings.Line(line.at_ns, "", advanced_trade(line.payload, number))
        for number, line in enumerate(lines)
    ]


def run_once(feed: Feed, lines: Sequence[recordings.Line]) -> list[int]:
    """Replay once; return the nanoseconds of each frame that came after the row was live."""
    spent: list[int] = []
    clock = time.perf_counter_ns
    feed.opened(lines[0].at_ns)
    asked: dict[str, str] = {}
    answers = {line.path: line for line in lines if line.path}
    for line in lines:
        if line.path:
            continue
        started_ns = clock()
        actions = feed.frame(line.payload, line.at_ns)
        spent.append(clock() - started_ns)
        asked.update({each.key: each.path for each in actions if isinstance(each, Fetch)})
        for key in list(asked):
            wire = key.removeprefix("book:")
            for path, answer in list(answers.items()):
                if wire in path and answer.at_ns <= line.at_ns:
                    del asked[key], answers[path]
                    feed.fetched(key, answer.payload, line.at_ns)
                    break
    return spent


def measure(recording: Recording, repeats: int) -> dict[str, object]:
    instruments = make_instruments(recording)
    lines = frames_of(recording)
    books = range(len(instruments))
    result: dict[str, object] = {"recording": recording.name}
    for label, board in (("feed_only", NoBoard), ("board", Board)):
        spent: list[int] = []
        for _ in range(repeats):
            feed = recording.maker(instruments, books, board(instruments), PATIENT)
            spent += run_once(feed, lines)
        spent.sort()
        count = len(spent)
        result[label] = {
            "frames": count,
            "frames_per_s": round(count / (sum(spent) / 1e9)),
            "median_us": spent[count // 2] / 1000,
            "p99_us": spent[int(count * 0.99)] / 1000,
            "p999_us": spent[int(count * 0.999)] / 1000,
        }
    return result


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.connectors.rates")
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args(arguments)
    for recording in RECORDINGS:
        print(json.dumps(measure(recording, options.repeats)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
