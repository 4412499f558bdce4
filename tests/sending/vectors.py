"""Routes and their bytes, which the tests of the contract read too.

``python -m tests.sending.vectors`` writes them anew.
"""

import json
from pathlib import Path

import msgspec

from engine.sending.encoding import calldata
from tests.sending.routes import EXAMPLES

VECTORS = Path(__file__).parents[2] / "contracts" / "test" / "vectors" / "routes.json"


def vectors() -> str:
    """Return the file's content."""
    rows = [
        {"route": msgspec.to_builtins(route), "calldata": "0x" + calldata(route).hex()}
        for route in EXAMPLES
    ]
    return json.dumps(rows, indent=1) + "\n"


if __name__ == "__main__":
    VECTORS.parent.mkdir(parents=True, exist_ok=True)
    VECTORS.write_text(vectors())
