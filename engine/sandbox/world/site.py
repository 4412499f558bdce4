"""Where a world is built: the tokens that are there, and what was deployed and made so far."""

from decimal import Decimal
from math import isqrt
from typing import Any, Final

from engine.domain.chains import NATIVE_ASSETS
from engine.domain.dexes import Dex
from engine.domain.tokens import CURATED, Token, asset_of
from engine.sandbox.world.abi import UINT_MAX, ZERO
from engine.sandbox.world.artifacts import bytecode, multicall3
from engine.sandbox.world.hands import Hands
from engine.sandbox.world.plan import ChainPlan, TokenPlan
from engine.sandbox.world.values import Made, WorldPool, WorldToken

FOR_EVER: Final = 2**40
"""A deadline that no block reaches."""

SIDE_USD: Final = Decimal(2_000_000)
"""Worth of each side of a pool, unless it is said."""

MULTICALL3: Final = "0xca11bde05977b3631167028862be2a173976ca11"
"""The same on every chain."""

WRAPPED: Final = "wrapped"
"""Stands for the symbol of the wrapped coin, whichever the chain has."""

_MINTABLE: Final = (
    "@aave/core-v3/artifacts/contracts/mocks/tokens/MintableERC20.sol/MintableERC20.json"
)
_STRING_MAX: Final = 31

_SLOTS: Final = 16
"""Words in which the tokens keep what they begin with."""


class Site:
    """Where a world is built.

    Attributes:
        hands: of the account that deploys everything.
        contracts: addresses of what was deployed, by names.
        dexes, pools: those made.
        spenders: contracts that every account lets take its tokens.
    """

    def __init__(self, hands: Hands, plan: ChainPlan) -> None:
        self.hands: Final = hands
        self.plan: Final = plan
        self.contracts: Final[dict[str, str]] = {"multicall3": _put_multicall(hands)}
        self.dexes: Final[list[Dex]] = []
        self.pools: Final[list[WorldPool]] = []
        self.spenders: Final[list[str]] = []
        self.tokens: Final = _deploy_tokens(hands, plan)
        self._by_symbol = {one.symbol: one for one in self.tokens}
        self._usd = {
            one.address: plan.prices_usd[planned.asset]
            for planned, one in zip(plan.tokens, self.tokens, strict=True)
        }
        for planned, token in zip(plan.tokens, self.tokens, strict=True):
            if planned.is_wrapped:
                self._by_symbol[WRAPPED] = token
                self._usd[ZERO] = self._usd[token.address]
        self.contracts[WRAPPED] = self.wrapped.address

    @property
    def wrapped(self) -> WorldToken:
        """Return the wrapped coin."""
        return self._by_symbol[WRAPPED]

    @property
    def coin(self) -> WorldToken:
        """Return what the chain is paid in, as contracts of V4 name it."""
        asset = NATIVE_ASSETS[self.plan.chain]
        return WorldToken(symbol=asset, address=ZERO, decimals=18, asset=asset)

    def token(self, symbol: str) -> WorldToken:
        """Return a token by its symbol, or as ``wrapped`` or ``coin``."""
        return self.coin if symbol == "coin" else self._by_symbol[symbol]

    def in_order(self, *symbols: str) -> tuple[WorldToken, ...]:
        """Return tokens as contracts order them."""
        return tuple(sorted(map(self.token, symbols), key=lambda token: token.address))

    def worth_raw(self, token: WorldToken, usd: Decimal) -> int:
        """Return how much of a token is worth so many dollars."""
        return int(usd / self.price_usd(token) * 10**token.decimals)

    def price_usd(self, token: WorldToken) -> Decimal:
        """Return what a token costs at the start."""
        return self._usd[token.address]

    def sqrt_price_x96(self, t0: WorldToken, t1: WorldToken) -> int:
        """Return the price at the start as contracts write it."""
        ratio = self.price_usd(t0) / self.price_usd(t1)
        raw = ratio * Decimal(10) ** (t1.decimals - t0.decimals)
        numerator, denominator = raw.as_integer_ratio()
        return isqrt((numerator << 192) // denominator)

    def deploy(self, name: str, artifact: str, constructor: str = "()", *arguments: Any) -> str:
        """Deploy a contract and remember it by a name."""
        self.contracts[name] = self.hands.deploy(bytecode(artifact), constructor, *arguments)
        return self.contracts[name]

    def let_take(self, spender: str) -> None:
        """Let a contract take any amount of each token, now of the deployer, later of everybody."""
        self.spenders.append(spender)
        approve_all(self.hands, self.tokens, [spender])

    def give(self, account: str, usd: Decimal) -> None:
        """Give an account every token that can be minted."""
        for token in self.tokens:
            if token is not self.wrapped:
                amount = self.worth_raw(token, usd)
                self.hands.send(token.address, "mint(address,uint256)", account, amount)

    def wrap(self, hands: Hands, usd: Decimal) -> None:
        """Let an account wrap some of its coins."""
        hands.send(self.wrapped.address, "deposit()", value=self.worth_raw(self.wrapped, usd))

    def made(self, accounts: tuple[str, ...]) -> Made:
        """Return what is there."""
        return Made(
            tokens=self.tokens,
            coin=self.coin,
            dexes=tuple(self.dexes),
            pools=tuple(self.pools),
            contracts=self.contracts,
            accounts=accounts,
        )


def approve_all(hands: Hands, tokens: tuple[WorldToken, ...], spenders: list[str]) -> None:
    """Let contracts take any amount of each token."""
    for token in tokens:
        for spender in spenders:
            hands.send(token.address, "approve(address,uint256)", spender, UINT_MAX)


def _put_multicall(hands: Hands) -> str:
    made = hands.deploy(multicall3())
    hands.flush()
    code = hands.rpc.ask("eth_getCode", made, "latest")
    hands.rpc.ask("anvil_setCode", MULTICALL3, code)
    return MULTICALL3


def _deploy_tokens(hands: Hands, plan: ChainPlan) -> tuple[WorldToken, ...]:
    """Deploy the tokens; those that are known stand at the addresses of the real ones.

    So which token is which asset is decided here by the very table that decides it on live
    markets, and nobody else can say it.
    """
    tokens = []
    for one in plan.tokens:
        if one.is_wrapped:
            address = hands.deploy(bytecode("canonical-weth/build/contracts/WETH9.json"))
            hands.flush()
            for slot, text in enumerate((one.name, one.symbol)):
                hands.rpc.ask("anvil_setStorageAt", address, hex(slot), short_string(text))
        else:
            address = hands.deploy(
                bytecode(_MINTABLE), "(string,string,uint8)", one.name, one.symbol, one.decimals
            )
            hands.flush()
        real = _real_address(plan.chain, one)
        if real:
            _move(hands, address, real)
        token = Token(chain=plan.chain, address=real or address, decimals=one.decimals)
        tokens.append(
            WorldToken(
                symbol=one.symbol,
                address=token.address,
                decimals=one.decimals,
                asset=asset_of(token, symbol=one.symbol),
            )
        )
    return tuple(tokens)


def _real_address(chain: str, one: TokenPlan) -> str:
    """Return where the token is on the real chain, nothing if the table does not know it."""
    for address, known in CURATED.get(chain, {}).items():
        if known == (one.asset, one.decimals):
            return address.lower()
    return ""


def _move(hands: Hands, made: str, to: str) -> None:
    """Put a token that nobody holds yet to another address: its code, and what it begins with."""
    asked = [("eth_getStorageAt", (made, hex(slot), "latest")) for slot in range(_SLOTS)]
    code = hands.rpc.ask("eth_getCode", made, "latest")
    hands.rpc.ask("anvil_setCode", to, code)
    for slot, word in enumerate(hands.rpc.ask_all(asked)):
        if int(word, 16):
            hands.rpc.ask("anvil_setStorageAt", to, hex(slot), word)


def short_string(text: str) -> str:
    """Return the word in which Solidity keeps a text of up to 31 bytes."""
    content = text.encode()
    assert len(content) <= _STRING_MAX
    return "0x" + (content.ljust(_STRING_MAX, b"\0") + bytes([len(content) * 2])).hex()
