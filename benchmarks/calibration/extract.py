"""Make `arbitrum_2023.csv` of the data set's originals: `python -m benchmarks.calibration.extract`.

Needs the two files of https://github.com/christoftorres/Rolling-in-the-Shadows (commit 79d31e0a,
MIT) as `.json.xz`; what is derived is committed beside this file, so nobody has to run it.
"""

import csv
import json
import lzma
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

COLUMNS: Final = (
    "timestamp",
    "block",
    "legs",
    "protocols",
    "gas_price_wei",
    "gas",
    "gain_wei",
    "cost_wei",
    "gain_usd",
    "profit_usd",
    "opened_blocks",
)
TABLE: Final = Path(__file__).with_name("arbitrum_2023.csv")
_WEI: Final = 10**18


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """Read a file with a JSON object a line."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def opened_by(opportunities: Path) -> dict[str, int]:
    """Return after how many blocks each arbitrage took what a swap had opened, by its hash."""
    found: dict[str, int] = {}
    for line in lines_of(opportunities):
        for one in line["opportunities"]:
            blocks = one["swap"].get("distance")
            if blocks is not None:
                hash_ = one["arbitrage"]["transaction_hash"]
                found[hash_] = min(blocks, found.get(hash_, blocks))
    return found


def rows(arbitrages: Path, opportunities: Path) -> Iterator[tuple[object, ...]]:
    """Return the arbitrages with a price, in time: what was known before each, and what it came to.

    Gas is that of both layers: what was paid, at the price of the transaction.
    """
    opened = opened_by(opportunities)
    priced = [one for one in lines_of(arbitrages) if one.get("total_profit_usd") is not None]
    priced.sort(key=lambda one: (one["block_number"], one["transaction"]["transactionIndex"]))
    for one in priced:
        swaps = [swap for part in one["arbitrages"] for swap in part["swaps"]]
        price_wei = one["transaction"]["gasPrice"]
        cost_wei = round(one["transaction_cost_eth"] * _WEI)
        yield (
            one["block_timestamp"],
            one["block_number"],
            len(swaps),
            " ".join(swap["protocol_name"].replace(" ", "_") for swap in swaps),
            price_wei,
            round(cost_wei / price_wei),
            round(one["total_gain_eth"] * _WEI),
            cost_wei,
            f"{one['total_gain_usd']:.6f}",
            f"{one['total_profit_usd']:.6f}",
            opened.get(one["transaction"]["hash"], ""),
        )


def main() -> int:
    """Write the table."""
    arbitrages, opportunities = map(Path, sys.argv[1:3])
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows(arbitrages, opportunities))
    return 0


if __name__ == "__main__":
    sys.exit(main())
