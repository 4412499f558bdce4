"""Reports of the roles that sign and send."""

from decimal import Decimal

from msgspec.structs import replace

from engine.bus.allowances import AllowanceLine, AllowancesLine, AllowancesReport
from engine.bus.sending_reports import (
    ContractLine,
    ContractsReport,
    TransactionLine,
    TransactionsReport,
)
from engine.bus.signing import CapLine, SignedChain, WalletsReport
from engine.bus.truth_lines import AheadLine, CauseLine, TruthLine
from engine.bus.truths import TruthsReport
from engine.domain.modes import Basis

WALLET = "0x243910707a4dfc9fffda391c84280b656a4d4919"
CONTRACT = "0x853e514a39c1d42e37ca11bf67ad3bcd6e4fd1e1"
CODE_HASH = "0xcd0da8aad701b2283a663f430e500da450f42941b7ae8fe964653f4361f7999f"

_FINAL = TransactionLine(
    ref="r7-12",
    chain="base",
    nonce=1_795_935_321,
    state="final",
    fate="succeeded",
    hash="0x" + "12ab" * 16,
    attempts=1,
    block=1_204,
    native="ETH",
    cost=Decimal("0.000231"),
    asset="ETH",
    gain=Decimal("0.0183"),
)


def wallets() -> WalletsReport:
    return WalletsReport(
        basis=Basis.SANDBOX_LIVE,
        is_locked=False,
        address=WALLET,
        key="keystore",
        chains=[SignedChain(name="base", chain_id=8_453, contracts={CONTRACT: CODE_HASH})],
        day=20_787,
        caps=[
            CapLine(what="moved by plans", unit="USD", used=Decimal(8_120), most=Decimal(100_000)),
            CapLine(what="signatures", unit="", used=Decimal(14), most=Decimal(5_000)),
            CapLine(what="gas on base", unit="ETH", used=Decimal("0.0041"), most=Decimal("0.05")),
            CapLine(
                what="gas on base to protect", unit="ETH", used=Decimal(0), most=Decimal("0.05")
            ),
        ],
        guards=["no core dumps"],
        missing=[],
    )


def transactions() -> TransactionsReport:
    return TransactionsReport(
        basis=Basis.SANDBOX_LIVE,
        transactions=[
            replace(
                _FINAL,
                ref="r7-19",
                state="pending",
                fate="",
                nonce=_FINAL.nonce + 2,
                attempts=2,
                block=None,
                cost=None,
                gain=None,
            ),
            replace(
                _FINAL,
                ref="r7-15",
                state="confirmed",
                fate="reverted",
                nonce=_FINAL.nonce + 1,
                block=1_209,
                gain=None,
                why="it gained less than the least",
            ),
            _FINAL,
        ],
        count=31,
        unsent=4,
        unsent_why="its time was over 40 ms ago",
    )


def contracts() -> ContractsReport:
    return ContractsReport(
        basis=Basis.SANDBOX_LIVE,
        contracts=[
            ContractLine(
                chain="base",
                address=CONTRACT,
                wallet=WALLET,
                native="ETH",
                wanted_hash=CODE_HASH,
                code_hash=CODE_HASH,
                owner="0x98c317c39e360452de3cf1e848ae26ec87456461",
                recovery="0xf75346d1dacfcd7032c3a6f12e3c3d0b2ecc0f06",
                is_executor=True,
                is_guardian=True,
                wallet_coins=Decimal("0.9959"),
                earned={"WETH": Decimal("0.4181"), "USDC": Decimal("812.55")},
            )
        ],
    )


def truth_line() -> TruthLine:
    return TruthLine(
        plan_id="r7-12-p",
        chain="base",
        decided_at_ns=1_790_000_000_000_000_000,
        route=("uniswap_v3@base", "uniswap_v2@base"),
        asset="ETH",
        fate="succeeded",
        predicted=Decimal("0.0183"),
        simulated=Decimal("0.0182"),
        realised=Decimal("0.0171"),
        predicted_usd=Decimal("33.12"),
        simulated_usd=Decimal("32.94"),
        realised_usd=Decimal("30.95"),
        causes=(
            CauseLine(step="simulated", cause="gas", count=1, usd=Decimal("-0.18")),
            CauseLine(step="realised", cause="order in block", count=1, usd=Decimal("-2.07")),
            CauseLine(step="realised", cause="gas", count=1, usd=Decimal("0.08")),
        ),
        ahead=(AheadLine(sender=WALLET, place=0, hash="0x" + "34cd" * 16),),
        ahead_count=1,
        block=1_204,
        place=1,
        hash=_FINAL.hash,
        chance=0.62,
    )


def _traded(number: int) -> TruthLine:
    """Return one of many trades: most as predicted, some a little less, some nothing but gas."""
    predicted = Decimal(5 + 37 * number % 41)
    share = Decimal("-0.02") if number % 5 == 4 else Decimal(1) - Decimal(number % 4) / 20
    return replace(
        truth_line(),
        fate="reverted" if number % 5 == 4 else "succeeded",
        predicted_usd=predicted,
        realised_usd=predicted * share,
    )


def truths(most: int = 3) -> TruthsReport:
    raced = replace(
        truth_line(),
        plan_id="r7-15-p",
        fate="reverted",
        realised=Decimal("-0.0002"),
        realised_usd=Decimal("-0.36"),
        causes=(CauseLine(step="realised", cause="order in block", count=1, usd=Decimal("-33.3")),),
    )
    unsent = replace(
        truth_line(),
        plan_id="r7-17-p",
        fate="never",
        simulated=None,
        simulated_usd=None,
        realised=Decimal(0),
        realised_usd=Decimal(0),
        causes=(CauseLine(step="realised", cause="too late", count=1, usd=Decimal("-33.12")),),
        ahead=(),
        ahead_count=None,
    )
    return TruthsReport(
        basis=Basis.SANDBOX_LIVE,
        n=31,
        simulated_n=27,
        predicted_usd=Decimal("614.20"),
        simulated_usd=Decimal("541.02"),
        realised_usd=Decimal("388.75"),
        fates={"succeeded": 19, "reverted": 8, "never": 4},
        causes=[
            CauseLine(step="realised", cause="order in block", count=6, usd=Decimal("-98.12")),
            CauseLine(step="realised", cause="too late", count=4, usd=Decimal("-71.9")),
            CauseLine(step="realised", cause="state moved", count=3, usd=Decimal("-40.11")),
        ],
        ahead=[AheadLine(sender=WALLET, count=5)],
        ahead_n=27,
        lines=[unsent, raced, *(_traded(number) for number in range(29))][:most],
    )


def allowances() -> AllowancesReport:
    given = AllowanceLine(
        token="0x" + "42" * 20,
        symbol="WETH",
        by="wallet",
        spender="0x" + "77" * 20,
        amount=Decimal("0.5"),
        is_unlimited=False,
    )
    return AllowancesReport(
        basis=Basis.SANDBOX_LIVE,
        chains=[
            AllowancesLine(
                chain="base",
                block=1_231,
                looked=5,
                given=[
                    given,
                    replace(given, symbol="USDC", token="0x" + "43" * 20, is_unlimited=True),
                ],
            )
        ],
    )
