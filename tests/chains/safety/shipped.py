"""The code of the tokens that the sandbox's chains have, compiled for who has no compiler.

python -m tests.chains.safety.shipped    # writes it anew
"""

import json

from engine.sandbox.world.strangers import CODES, STRANGERS
from tests.chains.safety.compiled import tokens


def shipped() -> str:
    """Return what the file is to hold."""
    codes = {one.code: "0x" + tokens()[one.code] for one in STRANGERS}
    return json.dumps(codes, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    CODES.write_text(shipped())
