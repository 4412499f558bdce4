"""Reports of chains, as the role that follows them answers."""

from msgspec.structs import replace

from engine.bus.chain_reports import ChainLine, ChainsReport, PoolLine, PoolsReport, ProviderLine
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.requests.chains import GetPools

_GOOD = ProviderLine(name="one.example 1", state="good", why="", latency_ms=41.0, lag_blocks=0)
_BASE = ChainLine(
    chain="base",
    head=23_411_902,
    head_age_s=1.4,
    block_ms=2_000,
    behind_blocks=0,
    final=23_411_310,
    finality_s=1_200,
    trouble="",
    pools_live=412,
    pools_stale=0,
    stale={},
    left_out={"too little in it": 2_204},
    reorganisations=3,
    deepest=2,
    gaps=0,
    counts={},
    listeners=1,
    providers=[_GOOD, replace(_GOOD, name="two.example 1", latency_ms=63.0)],
)
_ETHEREUM = replace(
    _BASE,
    chain="ethereum",
    head=25_120_004,
    head_age_s=31.0,
    behind_blocks=2,
    final=None,
    trouble="its providers do not agree on the newest block",
    pools_live=1_204,
    pools_stale=31,
    stale={"a move that cannot be": 1, "its state could not be read": 30},
    providers=[
        _GOOD,
        ProviderLine(
            name="two.example 1",
            state="quarantined",
            why="another hash for block 25,120,003",
            latency_ms=88.0,
            lag_blocks=None,
        ),
    ],
)

_POOL = PoolLine(
    chain="base",
    dex="Uniswap V3",
    venue=VenueId("uniswap_v3@base"),
    address="0xd0b53d9277642d899df5c87a3966a349a798f224",
    assets=("ETH", "USDC"),
    fee_text="0.05 %",
    worth_usd=18_204_113.0,
    why="",
    since=0,
)
_ALL = [
    _POOL,
    replace(
        _POOL,
        dex="Aerodrome",
        venue=VenueId("aerodrome_v2@base"),
        address="0xcdac0d6c6c59727a65f871236188350531885c43",
        fee_text="0.3 %",
        worth_usd=9_120_000.0,
    ),
    replace(
        _POOL,
        chain="ethereum",
        venue=VenueId("uniswap_v3@ethereum"),
        address="0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640",
        worth_usd=7_300_150.5,
        why="its state could not be read",
        since=25_119_990,
    ),
]

_UNSAFE = replace(
    _POOL,
    dex="Uniswap V2",
    venue=VenueId("uniswap_v2@base"),
    address="0x3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad",
    assets=("MOON", "WETH"),
    fee_text="0.30 %",
    worth_usd=50_000.0,
    why="0x1f9840a85d5af5bf1d1762f925bdaddc4201f984: refused: it cannot be sold",
)


def chains() -> ChainsReport:
    """Return one chain that is well and one that is not."""
    return ChainsReport(basis=Basis.SANDBOX, chains=[_BASE, _ETHEREUM])


def pools(asked: GetPools) -> PoolsReport:
    """Return a page of three pools."""
    found = [
        one
        for one in ([_UNSAFE] if asked.is_unsafe else _ALL)
        if asked.chain in ("", one.chain)
        and asked.dex in ("", one.venue.partition("@")[0])
        and (one.why or not asked.is_stale)
    ]
    return PoolsReport(
        basis=Basis.SANDBOX,
        count=len(found),
        live=sum(not one.why for one in found),
        first=asked.first,
        pools=found[asked.first : asked.first + asked.most],
        by_dex=[],
        unsafe=1,
    )
