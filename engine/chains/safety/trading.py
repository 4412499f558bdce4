"""The life of a token in a trader's hands: bought, sent on, kept, sold, in all ways of a plan.

Each line of `Trading.run` is a question that a malicious token answers otherwise than an honest
one; what it answers is measured in balances.
"""

from typing import Final

from engine.chains.safety.evm import ProbeEvm
from engine.chains.safety.pool_swaps import PoolSwaps, Swapped
from engine.chains.safety.probed import Notes
from engine.chains.safety.token_calls import Moved, TokenCalls
from engine.chains.safety.words import WORD
from engine.domain.token_safety import Trait

TRANSFER_GAS_MAX: Final = 300_000
"""A plain token takes 30,000 to 60,000; a route's cost is reckoned with fewer than this for all."""

BUY_SHARE: Final = 1_000
"""A buy takes this part of the pool."""

BOUGHT_MIN: Final = 200_000
"""Least units: with fewer a tax could not be told to the basis point."""

ROUNDING_BPS: Final = 1

LARGE_SHARES: Final = (100, 20, 10, 4, 2)
"""Parts of the pool that are moved at once, up to the half of it."""

_DAY_S: Final = 86_400
_WAITS: Final = (("a block", 1, 12), ("an hour", 300, 3_600), ("30 days", 200_000, 30 * _DAY_S))
_HIGH_TIP_WEI: Final = 500 * 10**9
_CALLS_SLOT: Final = 0


class Trading:
    """A token, its pool, a trader's contract, a wallet.

    Attributes:
        taxes: what a buy, a transfer, a sale lose, in parts of 10,000; None until measured.
        why_unknown: what kept the token from being traded without being its fault.
    """

    def __init__(
        self, *, token: TokenCalls, swaps: PoolSwaps, pool: str, trader: str, wallet: str
    ) -> None:
        self._evm: Final[ProbeEvm] = token.evm
        self._token: Final = token
        self._swaps: Final = swaps
        self._pool: Final = pool
        self._trader: Final = trader
        self._wallet: Final = wallet
        self.notes: Final = Notes()
        self.taxes: Final[dict[str, int | None]] = {"buy": None, "transfer": None, "sell": None}
        self.why_unknown = ""
        self.gas_most = 0

    def run(self) -> None:
        """Ask everything."""
        self._says_the_same_to_all()
        funds = self._swaps.fund(share=BUY_SHARE // 10)
        if funds == 0:
            self.why_unknown = "the pool's other token cannot be had from it"
            return
        bought = self._buy(funds // 10)
        if bought == 0:
            return
        self._sends(bought // 8)
        self._sells(bought // 8)
        self._waits(bought // 8)
        self._is_bought_again(funds // 10)
        self._moves_much()
        self._refuses_what_is_not_there()
        if called := self._evm.slot(self._trader, _CALLS_SLOT):
            self.notes.add(Trait.CALLS_BACK, f"called its receiver {called} times during transfers")
        if self.gas_most > TRANSFER_GAS_MAX:
            self.notes.add(
                Trait.COSTS_GAS,
                f"a transfer took {self.gas_most:,} gas, at most {TRANSFER_GAS_MAX:,} is usual",
            )

    def _says_the_same_to_all(self) -> None:
        said = {
            self._token.balance(self._pool, caller=caller)
            for caller in (self._evm.ours, self._wallet, self._trader, self._pool)
        }
        if len(said) > 1:
            self.notes.add(Trait.MISLEADS, "tells different callers different balances")

    def _buy(self, amount: int) -> int:
        swapped = self._swaps.buy(amount)
        if swapped is None or not swapped.is_done:
            sent = max(self._token.balance(self._pool) // BUY_SHARE, 1)
            with self._evm.aside():
                moved = self._token.transfer(self._pool, self._trader, sent)
            if moved.is_done and not moved.tax_bps:
                self.why_unknown = "the pool would not sell it, though it can be sent from there"
            elif moved.is_done:
                self._tax("buy", moved)
            else:
                self._failed(Trait.BUY_FAILS, "cannot be bought", moved)
            return 0
        self._tax("buy", swapped.moved)
        self._check_says(swapped.moved)
        bought = self._token.balance(self._trader)
        if bought < BOUGHT_MIN:
            self.why_unknown = f"a buy gave {bought} of its least units: too few to measure"
            return 0
        return bought

    def _sends(self, amount: int) -> None:
        there = self._token.balance(self._pool)
        for source, target in (
            (self._trader, self._wallet),
            (self._wallet, self._trader),
            (self._trader, self._wallet),
        ):
            amount = min(amount, self._token.balance(source))
            moved = self._token.transfer(source, target, amount)
            if not moved.is_done:
                self._failed(Trait.TRANSFER_FAILS, "cannot be sent between wallets", moved)
                return
            self._tax("transfer", moved)
            self._check_says(moved)
        if (now := self._token.balance(self._pool)) != there:
            self.notes.add(
                Trait.MOVES_POOL,
                f"a transfer between wallets changed the pool's balance by {now - there:+,}",
            )
        self._is_spent(amount // 2)
        self._is_sent_to_itself(amount // 2)

    def _is_spent(self, amount: int) -> None:
        with self._evm.aside():
            if not self._token.approve(self._trader, self._wallet, amount).is_done:
                self.notes.add(Trait.TRANSFER_FAILS, "nobody can be allowed to send it")
                return
            moved = self._token.transfer_from(self._wallet, self._trader, self._wallet, amount)
            if not moved.is_done:
                self._failed(Trait.TRANSFER_FAILS, "cannot be sent by whom its owner allows", moved)
                return
            self._tax("transfer", moved)
            if self._token.transfer_from(self._wallet, self._trader, self._wallet, amount).received:
                self.notes.add(Trait.MISLEADS, "can be sent by somebody who is not allowed to")

    def _is_sent_to_itself(self, amount: int) -> None:
        with self._evm.aside():
            had = self._token.balance(self._trader)
            self._token.transfer(self._trader, self._trader, amount)
            now = self._token.balance(self._trader)
        if now > had:
            self.notes.add(Trait.MISLEADS, "grows by being sent to oneself")

    def _sells(self, amount: int) -> None:
        with self._evm.aside():
            moved = self._token.transfer(self._trader, self._pool, amount)
            if moved.is_done:
                self._tax("sell", moved)
                self._check_says(moved)
        if not moved.is_done:
            with self._evm.aside():
                self._evm.later(seconds=_DAY_S, blocks=7_200)
                later = self._token.transfer(self._trader, self._pool, amount)
            if later.is_done:
                self._failed(Trait.COOLDOWN, "is sold a day later and not at once", moved)
            else:
                self._failed(Trait.SELL_FAILS, "cannot be sold", moved)
            return
        with self._evm.aside():
            self._sale(amount, "a sale fails at the pool")
        with self._evm.aside():
            amount = min(amount, self._token.balance(self._wallet))
            moved = self._token.transfer(self._wallet, self._pool, amount)
            if not moved.is_done:
                self._failed(Trait.SELL_FAILS, "a wallet cannot sell it", moved)
            self._tax("sell", moved)
        with self._evm.aside():
            moved = self._token.transfer(self._trader, self._pool, amount, tip_wei=_HIGH_TIP_WEI)
            if not moved.is_done:
                self._failed(Trait.SELL_FAILS, "cannot be sold at a high gas price", moved)

    def _sale(self, amount: int, text: str) -> None:
        """Sell through the pool; one that takes a tax for granted is not asked of."""
        if self.taxes["sell"]:
            return
        swapped: Swapped | None = self._swaps.sell(amount)
        if swapped is None or not swapped.is_done:
            self.notes.add(Trait.SELL_FAILS, text)
            return
        self._tax("sell", swapped.moved)

    def _waits(self, amount: int) -> None:
        holders = {"trader": self._trader, "wallet": self._wallet, "pool": self._pool}
        for name, blocks, seconds in _WAITS:
            with self._evm.aside():
                had = {who: self._token.balance(holder) for who, holder in holders.items()}
                self._evm.later(seconds=seconds, blocks=blocks)
                for who, holder in holders.items():
                    if (now := self._token.balance(holder)) != had[who]:
                        self.notes.add(
                            Trait.REBASES,
                            f"after {name} the {who} has {now:,} instead of {had[who]:,}",
                        )
                moved = self._token.transfer(self._trader, self._pool, amount)
                if not moved.is_done:
                    self._failed(Trait.SELL_FAILS, f"cannot be sold after {name}", moved)
                elif moved.tax_bps > (self.taxes["sell"] or 0) + ROUNDING_BPS:
                    self.notes.add(Trait.CAN_TAX, f"after {name} a sale loses {moved.tax_bps} bps")

    def _is_bought_again(self, amount: int) -> None:
        """Buy and sell thrice: what lets the first trades through may stop a later one."""
        if self.taxes["buy"] or self.taxes["sell"]:
            return
        with self._evm.aside():
            for count in range(2, 5):
                had = self._token.balance(self._trader)
                swapped = self._swaps.buy(amount)
                if swapped is None or not swapped.is_done:
                    self.notes.add(Trait.BUY_FAILS, f"buy number {count} fails")
                    return
                self._tax("buy", swapped.moved)
                self._sale(self._token.balance(self._trader) - had, f"sale number {count} fails")

    def _moves_much(self) -> None:
        whole = self._token.balance(self._pool)
        for share in LARGE_SHARES:
            amount = whole // share
            with self._evm.aside():
                for source, target in (
                    (self._pool, self._trader),
                    (self._trader, self._wallet),
                    (self._wallet, self._pool),
                ):
                    moved = self._token.transfer(
                        source, target, min(amount, self._token.balance(source))
                    )
                    if not moved.is_done:
                        self.notes.add(
                            Trait.SIZE_LIMITED,
                            f"{100 // share} % of the pool, {amount:,}, cannot be moved at once",
                        )
                        return
                    self._tax_of_size(moved, share)

    def _tax_of_size(self, moved: Moved, share: int) -> None:
        if moved.tax_bps > max(one or 0 for one in self.taxes.values()) + ROUNDING_BPS:
            self.notes.add(
                Trait.TAXED, f"{100 // share} % of the pool loses {moved.tax_bps} bps when moved"
            )

    def _refuses_what_is_not_there(self) -> None:
        with self._evm.aside():
            moved = self._token.transfer(
                self._trader, self._wallet, self._token.balance(self._trader) + 1
            )
            if moved.is_done:
                self.notes.add(Trait.MISLEADS, "says yes to sending more than there is")
            spent = self._token.transfer_from(self._wallet, self._trader, self._wallet, 1)
            if spent.received and not spent.is_false:
                self.notes.add(Trait.MISLEADS, "can be sent by somebody who is not allowed to")

    def _tax(self, what: str, moved: Moved) -> None:
        if not moved.is_done:
            return
        self.gas_most = max(self.gas_most, moved.gas if what != "buy" else 0)
        known = self.taxes[what]
        if known is not None and abs(known - moved.tax_bps) > ROUNDING_BPS:
            self.notes.add(
                Trait.CAN_TAX,
                f"a {what} loses {known} bps, another one {moved.tax_bps} bps",
            )
        self.taxes[what] = max(known or 0, moved.tax_bps)

    def _check_says(self, moved: Moved) -> None:
        if not moved.says:
            self.notes.add(Trait.NO_RETURN_VALUE, "a transfer returns nothing; none reads it")
        elif len(moved.says) != WORD or int.from_bytes(moved.says, "big") > 1:
            self.notes.add(
                Trait.MISLEADS, f"a transfer returns {len(moved.says):,} bytes, not yes or no"
            )
        if moved.received > moved.sent:
            self.notes.add(
                Trait.MISLEADS, f"{moved.received:,} arrived where {moved.sent:,} were sent"
            )

    def _failed(self, trait: Trait, text: str, moved: Moved) -> None:
        if moved.is_false:
            self.notes.add(Trait.RETURNS_FALSE, f"{text}: it returns false")
        self.notes.add(trait, f"{text}: {moved.sent:,} of its least units, {moved.gas:,} gas")
