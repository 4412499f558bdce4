"""Command /gas: what transactions cost on each chain."""

from bot.answer import Answer, Button
from bot.command import Call, CommandEntry, Kind, Topic
from bot.render.gas import render_gas
from engine.requests.gas import GetGas

_BUTTONS = (
    (
        Button(label="Venues", line="/venues"),
        Button(label="Opportunities", line="/opportunities"),
    ),
)


async def gas(call: Call) -> Answer:
    """Show what gas and bytes cost."""
    return Answer(screen=render_gas(await call.ask(GetGas())), buttons=_BUTTONS)


GAS = CommandEntry(
    name="gas",
    topic=Topic.MARKET,
    kind=Kind.READ,
    short_help="what transactions cost on each chain",
    long_help=(
        (
            "Shows for each chain what gas took in the newest block and will take in the next, and"
            " what a route of two swaps pays in all; then what its bytes cost on Ethereum (L1, on"
            " rollups), what the chain's own asset is worth, and how long ago the chain told."
        ),
        "A price that is too old, or an asset without a live book, keeps the chain's pools out.",
    ),
    handler=gas,
    parent="venues",
)
