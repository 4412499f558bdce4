"""Commands /chains and /pools: how chains are followed, and which pools of them."""

from typing import Final

from bot.answer import Answer, Button
from bot.command import Call, CommandEntry, Kind, Topic
from bot.grammar import Argument, Form
from bot.render.chains import (
    UNSAFE,
    render_chain,
    render_chains,
    render_no_chain,
    render_pools,
)
from engine.domain.chains import CHAINS
from engine.requests.chains import GetChains, GetPools

POOLS_A_TIME: Final = 20
PAGES_MAX: Final = 1_000
_STALE: Final = "stale"

_POOLS_BUTTON = Button(label="Pools", line="/pools")
_CHAINS_BUTTON = Button(label="Chains", line="/chains")
_STALE_BUTTON = Button(label="Stale pools", line=f"/pools {_STALE}")
_UNSAFE_BUTTON = Button(label="Unsafe pools", line=f"/pools {UNSAFE}")
_MAP_BUTTON = Button(label="Map", line="/chart map")
_GAS_BUTTON = Button(label="Gas", line="/gas")


async def chains(call: Call) -> Answer:
    """Show how chains are followed, or one of them with all its providers."""
    report = await call.ask(GetChains())
    wanted = (call.arguments.text("chain") or "").lower()
    buttons = ((_POOLS_BUTTON, _STALE_BUTTON, _GAS_BUTTON),)
    if not wanted:
        of_each = tuple(
            Button(label=one.chain, line=f"/chains {one.chain}") for one in report.chains
        )
        rows = tuple(of_each[start : start + 3] for start in range(0, len(of_each), 3))
        return Answer(screen=render_chains(report), buttons=(*rows, *buttons))
    for one in report.chains:
        if one.chain == wanted:
            return Answer(screen=render_chain(report, one), buttons=buttons)
    return Answer(screen=render_no_chain(report, wanted), buttons=((_CHAINS_BUTTON,),))


CHAINS_COMMAND = CommandEntry(
    name="chains",
    topic=Topic.MARKET,
    kind=Kind.READ,
    short_help="how each chain is followed",
    long_help=(
        (
            "Shows for each chain the newest block and its age, how far its nodes are ahead, which"
            " block stays, how many pools are live, and how many of its providers are good."
        ),
        "With a chain: each provider, why pools are stale or left out, what was undone.",
    ),
    handler=chains,
    parent="venues",
    grammar=(Argument(name="chain", form=Form.WORD),),
)


async def pools(call: Call) -> Answer:
    """Show pools, those with the most in them first."""
    said = (call.arguments.text("of") or "").lower()
    page = call.arguments.number("page", default=1)
    is_chain = said in CHAINS
    asked = GetPools(
        chain=said if is_chain else "",
        dex="" if is_chain or said in (_STALE, UNSAFE) else said,
        is_stale=said == _STALE,
        is_unsafe=said == UNSAFE,
        first=(page - 1) * POOLS_A_TIME,
        most=POOLS_A_TIME,
    )
    report = await call.ask(asked)
    more = report.first + len(report.pools) < report.count
    following = Button(label="More pools", line=f"/pools {page + 1} {said}".rstrip())
    next_row = ((following,),) if more else ()
    buttons = (*next_row, (_CHAINS_BUTTON, _MAP_BUTTON), (_STALE_BUTTON, _UNSAFE_BUTTON))
    return Answer(screen=render_pools(report, of=said), buttons=buttons)


POOLS_COMMAND = CommandEntry(
    name="pools",
    topic=Topic.MARKET,
    kind=Kind.READ,
    short_help="pools that are followed, richest first",
    long_help=(
        (
            "Shows each pool that is followed with what is in it, its DEX, chain and address, and"
            " why it is stale if it is: no route goes through it then."
        ),
        (
            "With a chain, a DEX (uniswap_v3) or the word stale: only those. The word unsafe: those"
            " that are left out for a token, and why. With a number: that page."
        ),
    ),
    handler=pools,
    parent="chains",
    grammar=(
        Argument(name="page", form=Form.NUMBER, number_max=PAGES_MAX, may_be_skipped=True),
        Argument(name="of", form=Form.WORD),
    ),
)
