"""Aave V3 with a market for each token, as flash loans and liquidations need it."""

from decimal import Decimal
from typing import Any, Final

from engine.sandbox.world.abi import ZERO
from engine.sandbox.world.artifacts import bytecode
from engine.sandbox.world.site import Site
from engine.sandbox.world.values import WorldToken

_ROOT: Final = "@aave/core-v3/artifacts/contracts"
_LOGIC: Final = f"{_ROOT}/protocol/libraries/logic"
_FREE: Final = ("Supply", "Borrow", "Liquidation", "EMode", "Bridge", "Pool", "Configurator")
_RAY: Final = 10**25
"""A hundredth, as rates are written."""

FLASH_FEE_BPS: Final = 5
_SUPPLY_USD: Final = Decimal(20_000_000)
_LOAN_TO_VALUE_BPS, _LIQUIDATION_BPS, _BONUS_BPS = 7_500, 8_000, 10_500


def make_aave(site: Site) -> None:
    """Deploy ``aave_pool``, ``aave_provider``, ``aave_oracle``, ``aave_data``."""
    hands = site.hands
    provider = site.deploy(
        "aave_provider",
        _path("protocol/configuration", "PoolAddressesProvider"),
        "(string,address)",
        *("Local", hands.me),
    )
    hands.send(provider, "setACLAdmin(address)", hands.me)
    roles = site.deploy(
        "aave_roles", _path("protocol/configuration", "ACLManager"), "(address)", provider
    )
    hands.send(provider, "setACLManager(address)", roles)
    hands.send(roles, "addPoolAdmin(address)", hands.me)
    hands.send(roles, "addAssetListingAdmin(address)", hands.me)
    oracle = site.deploy("aave_oracle", _path("mocks/oracle", "PriceOracle"))
    hands.send(provider, "setPriceOracle(address)", oracle)
    pool, configurator = _pool(site, provider)
    hands.send(configurator, "updateFlashloanPremiumTotal(uint128)", FLASH_FEE_BPS)
    site.deploy("aave_data", _path("misc", "AaveProtocolDataProvider"), "(address)", provider)
    _markets(site, provider, pool, configurator, oracle)


def _path(folder: str, name: str) -> str:
    return f"{_ROOT}/{folder}/{name}.sol/{name}.json"


def _pool(site: Site, provider: str) -> tuple[str, str]:
    hands = site.hands
    libraries = {
        f"{name}Logic": hands.deploy(bytecode(f"{_LOGIC}/{name}Logic.sol/{name}Logic.json"))
        for name in _FREE
    }

    def linked(path: str, *arguments: Any) -> str:
        code = bytecode(path, libraries=tuple(libraries.items()))
        return hands.deploy(code, "(address)" if arguments else "()", *arguments)

    libraries["FlashLoanLogic"] = linked(f"{_LOGIC}/FlashLoanLogic.sol/FlashLoanLogic.json")
    implementation = linked(_path("protocol/pool", "Pool"), provider)
    hands.send(provider, "setPoolImpl(address)", implementation)
    configurator = linked(_path("protocol/pool", "PoolConfigurator"))
    hands.send(provider, "setPoolConfiguratorImpl(address)", configurator)
    site.contracts["aave_pool"] = hands.read(provider, "getPool()", ("address",))
    site.contracts["aave_configurator"] = hands.read(
        provider, "getPoolConfigurator()", ("address",)
    )
    return site.contracts["aave_pool"], site.contracts["aave_configurator"]


def _markets(site: Site, provider: str, pool: str, configurator: str, oracle: str) -> None:
    hands = site.hands
    kinds = [
        hands.deploy(bytecode(_path("protocol/tokenization", name)), "(address)", pool)
        for name in ("AToken", "StableDebtToken", "VariableDebtToken")
    ]
    rates = hands.deploy(
        bytecode(_path("protocol/pool", "DefaultReserveInterestRateStrategy")),
        "(address,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256)",
        *(provider, 80 * _RAY, 0, 4 * _RAY, 75 * _RAY, 0, 0, 0, 0, 0),
    )
    hands.send(
        configurator,
        "initReserves((address,address,address,uint8,address,address,address,address,string,string,"
        "string,string,string,string,bytes)[])",
        [_reserve(site, token, kinds, rates) for token in site.tokens],
    )
    site.let_take(pool)
    for token in site.tokens:
        price = int(site.price_usd(token) * 10**8)
        hands.send(oracle, "setAssetPrice(address,uint256)", token.address, price)
        hands.send(
            configurator,
            "configureReserveAsCollateral(address,uint256,uint256,uint256)",
            *(token.address, _LOAN_TO_VALUE_BPS, _LIQUIDATION_BPS, _BONUS_BPS),
        )
        hands.send(configurator, "setReserveBorrowing(address,bool)", token.address, True)
        hands.send(configurator, "setReserveFlashLoaning(address,bool)", token.address, True)
        hands.send(
            pool,
            "supply(address,uint256,address,uint16)",
            *(token.address, site.worth_raw(token, _SUPPLY_USD), hands.me, 0),
        )


def _reserve(site: Site, token: WorldToken, kinds: list[str], rates: str) -> tuple[object, ...]:
    names = [f"{kind}{token.symbol}" for kind in "avs" for _ in range(2)]
    return (
        *kinds,
        token.decimals,
        rates,
        token.address,
        site.hands.me,
        ZERO,
        *names,
        b"",
    )
