"""Routes and swaps with their bytes, which the tests of the contract read too.

``python -m tests.sending.vectors`` writes them anew.
"""

import json
from pathlib import Path

import msgspec

from engine.sending.encoding import calldata, swap_calldata
from tests.sending.routes import EXAMPLES, SWAPS

VECTORS = Path(__file__).parents[2] / "contracts" / "test" / "vectors" / "routes.json"
SWAP_VECTORS = VECTORS.with_name("swaps.json")


def vectors() -> str:
    """Return the file's content."""
    rows = [
        {"route": msgspec.to_builtins(route), "calldata": "0x" + calldata(route).hex()}
        for route in EXAMPLES
    ]
    return json.dumps(rows, indent=1) + "\n"


def swap_vectors() -> str:
    """Return the content of that of swaps."""
    rows = [
        {"swap": msgspec.to_builtins(swap), "calldata": "0x" + swap_calldata(swap).hex()}
        for swap in SWAPS
    ]
    return json.dumps(rows, indent=1) + "\n"


if __name__ == "__main__":
    VECTORS.parent.mkdir(parents=True, exist_ok=True)
    VECTORS.write_text(vectors())
    SWAP_VECTORS.write_text(swap_vectors())
