"""No honest token is refused and no malicious one let in: the table says it, on a real node."""

from collections.abc import Callable

import pytest

from engine.domain.pools import Protocol
from engine.domain.token_safety import Standing, Trait, Verdict
from engine.domain.tokens import NATIVE_ADDRESS
from tests.chains.local_world import LocalWorld
from tests.chains.safety.conftest import Probe
from tests.chains.safety.listed import Listed, list_in_vault, list_token, list_with_ticks

Place = Callable[[LocalWorld, str], Listed]

HONEST = ("Renounced", "Owned", "Minted", "GivenUp", "NoReturn", "CloneMaker")
WORLDS = ("WETH", "USDC", "WBTC", "DAI")
HOLDERS = {
    Protocol.UNISWAP_V4: "v4_manager",
    Protocol.BALANCER_WEIGHTED: "balancer_vault",
    Protocol.BALANCER_STABLE: "balancer_vault",
}
"""One contract holds the tokens of all these pools."""

TAXED = {
    "SellTax10": (0, 0, 1_000),
    "BuyTax": (300, 0, 0),
    "TransferTax": (0, 123, 0),
    "AllTaxes": (1, 250, 700),
}

RARE = frozenset(
    {
        "ListedSellers",
        "NoContracts",
        "Expiring",
        "EndlessGas",
        "MaxWallet",
        "ReturnBomb",
        "SaysYes",
        "SelfGrowing",
        "TaxedBySize",
        "LimitedLater",
        "ManyBots",
        "LongSymbol",
        "NastyName",
        "TaxOnTop",
        "Salmonella",
        "Guarded",
        "GrowingTax",
        "RebasedByCall",
    }
)
"""Each has one of its kind beside it in the table; `make test-long` tries these too."""

MALICIOUS = {
    "Honeypot": Trait.SELL_FAILS,
    "ListedSellers": Trait.SELL_FAILS,
    "Sniffer": Trait.SELL_FAILS,
    "FeeSniffer": Trait.TELLS_PROBES,
    "NoContracts": Trait.SELL_FAILS,
    "SixthTrade": Trait.SELL_FAILS,
    "Expiring": Trait.SELL_FAILS,
    "EndlessGas": Trait.SELL_FAILS,
    "Cooldown": Trait.COOLDOWN,
    "MaxTx": Trait.SIZE_LIMITED,
    "MaxWallet": Trait.SIZE_LIMITED,
    "GasBomb": Trait.COSTS_GAS,
    "ReturnBomb": Trait.MISLEADS,
    "ReturnsFalse": Trait.RETURNS_FALSE,
    "Salmonella": Trait.TAXED,
    "SaysYes": Trait.MISLEADS,
    "TwoFaced": Trait.MISLEADS,
    "SelfGrowing": Trait.MISLEADS,
    "CallsBack": Trait.CALLS_BACK,
    "Guarded": Trait.ASKS_OTHERS,
    "BurnsPool": Trait.MOVES_POOL,
    "Rebasing": Trait.REBASES,
    "RebasedByCall": Trait.CAN_TAKE,
    "Destructible": Trait.SELF_DESTRUCTS,
    "TaxOnTop": Trait.TAXED,
    "TaxedBySize": Trait.TAXED,
    "LaterTax": Trait.CAN_TAX,
    "GrowingTax": Trait.CAN_TAX,
    "Pausable": Trait.CAN_STOP,
    "HiddenSwitch": Trait.CAN_STOP,
    "ShySwitch": Trait.CAN_STOP,
    "RolePaused": Trait.CAN_STOP,
    "LimitedLater": Trait.CAN_STOP,
    "Blacklist": Trait.CAN_BLOCK,
    "ManyBots": Trait.CAN_BLOCK,
    "TakesAll": Trait.CAN_TAKE,
    "Proxy": Trait.UPGRADEABLE,
    "OddProxy": Trait.ASKS_OTHERS,
    "FakeDollar": Trait.IMPERSONATES,
    "LookalikeDollar": Trait.IMPERSONATES,
    "Decimals255": Trait.HOSTILE_NAME,
    "LongSymbol": Trait.HOSTILE_NAME,
    "NastyName": Trait.HOSTILE_NAME,
    "Issued": Trait.CAN_STOP,
}


@pytest.fixture
def priced(world: LocalWorld) -> LocalWorld:
    """Give blocks what those of a real chain have, which tokens look at: a miner and a base fee."""
    world.rpc.ask("anvil_setCoinbase", "0x" + "95" * 20)
    world.rpc.ask("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    world.mine()
    return world


def said(verdict: Verdict) -> str:
    found = [f"{one.trait}: {one.text}" for one in (*verdict.reasons, *verdict.warnings)]
    return "\n".join([verdict.standing, *found])


@pytest.mark.parametrize("name", HONEST)
async def test_an_honest_token_is_safe(priced: LocalWorld, probe: Probe, name: str) -> None:
    verdict = await probe(list_token(priced, name))
    assert verdict.standing is Standing.SAFE, said(verdict)
    assert (verdict.buy_tax_bps, verdict.transfer_tax_bps, verdict.sell_tax_bps) == (0, 0, 0)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.campaign] if name in RARE else [])
        for name in MALICIOUS
    ],
)
async def test_a_malicious_token_is_refused(priced: LocalWorld, probe: Probe, name: str) -> None:
    verdict = await probe(list_token(priced, name))
    assert verdict.standing is Standing.REFUSED, said(verdict)
    assert MALICIOUS[name] in {one.trait for one in verdict.reasons}, said(verdict)


@pytest.mark.parametrize("name", TAXED)
async def test_a_tax_is_measured_to_the_basis_point(
    priced: LocalWorld, probe: Probe, name: str
) -> None:
    verdict = await probe(list_token(priced, name))
    assert verdict.standing is Standing.TAXED, said(verdict)
    taxes = (verdict.buy_tax_bps, verdict.transfer_tax_bps, verdict.sell_tax_bps)
    assert taxes == TAXED[name], said(verdict)


@pytest.mark.parametrize("place", [list_with_ticks, list_in_vault])
@pytest.mark.parametrize(
    ("name", "standing"),
    [
        ("Renounced", Standing.SAFE),
        ("Honeypot", Standing.REFUSED),
        ("Pausable", Standing.REFUSED),
        ("AllTaxes", Standing.TAXED),
    ],
)
async def test_a_token_is_judged_alike_at_other_kinds_of_pool(
    priced: LocalWorld, probe: Probe, place: Place, name: str, standing: Standing
) -> None:
    verdict = await probe(place(priced, name))
    assert verdict.standing is standing, said(verdict)
    if standing is Standing.TAXED:
        taxes = (verdict.buy_tax_bps, verdict.transfer_tax_bps, verdict.sell_tax_bps)
        assert taxes == TAXED[name]


@pytest.mark.parametrize(
    "symbol",
    [
        pytest.param(one, marks=[pytest.mark.campaign] if one in {"WBTC", "DAI"} else [])
        for one in WORLDS
    ],
)
async def test_the_worlds_own_tokens_are_safe_at_each_kind_of_pool(
    priced: LocalWorld, probe: Probe, symbol: str
) -> None:
    token = priced.token(symbol).address
    kinds = set()
    for pool in priced.made.pools:
        holder = HOLDERS.get(pool.protocol)
        counter = next(one for one in pool.tokens if one != token)
        if token in pool.tokens and counter != NATIVE_ADDRESS and pool.protocol not in kinds:
            kinds.add(pool.protocol)
            at = priced.made.contracts[holder] if holder else pool.address
            listed = Listed(token, at, counter)
            verdict = await probe(listed, is_curated=True)
            assert verdict.standing is Standing.SAFE, f"{pool.dex}: {said(verdict)}"
            assert verdict.sell_tax_bps == 0
    assert len(kinds) >= 2


async def test_powers_of_a_curated_tokens_issuer_are_told_and_refuse_nothing(
    priced: LocalWorld, probe: Probe
) -> None:
    verdict = await probe(list_token(priced, "Issued"), is_curated=True)
    assert verdict.standing is Standing.SAFE, said(verdict)
    told = {one.trait for one in verdict.warnings}
    assert {Trait.CAN_STOP, Trait.CAN_BLOCK, Trait.CAN_TAX, Trait.NO_RETURN_VALUE} <= told


async def test_a_curated_token_that_takes_a_tax_is_out_all_the_same(
    priced: LocalWorld, probe: Probe
) -> None:
    listed = list_token(priced, "Issued")
    owner = priced.hands(0)
    owner.send(listed.token, "setParams(uint256,uint256)", 10, 0)
    owner.flush()
    verdict = await probe(listed, is_curated=True)
    assert verdict.standing is Standing.TAXED, said(verdict)
    assert verdict.transfer_tax_bps == 10


async def test_a_tax_that_its_owner_switches_on_is_seen_by_the_next_probe(
    priced: LocalWorld, probe: Probe
) -> None:
    listed = list_token(priced, "LaterTax")
    owner = priced.hands(0)
    owner.send(listed.token, "setSellTax(uint256)", 20)
    owner.flush()
    verdict = await probe(listed)
    assert verdict.sell_tax_bps == 2_000, said(verdict)
    assert verdict.standing is Standing.REFUSED
