"""Which chain it is, by a block that was final; and what is ours there, at one of its blocks.

A local chain's state may be thrown away, and another begins in its place with the same number.
What was under way on the one that is gone then ends once, and nonces are counted as the new one has
them. A real chain that lacks what was final is none of ours: nothing is sent to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.chains import NATIVE_ASSETS
from engine.domain.errors import TransientError
from engine.domain.exact import exact_sum
from engine.domain.plans import recovery_of, wallet_of
from engine.domain.tokens import asset_of, tokens_of
from engine.domain.told import Chore, HeldOnChain, TransactionNews, WalletSeen
from engine.domain.units import NATIVE_DECIMALS
from engine.sending.allowing_ids import is_allowing, plans_id
from engine.sending.beginnings import DeskTerms
from engine.sending.calls import HeadNow
from engine.sending.encoding import PAUSE, UNPAUSE
from engine.sending.facts import ChainMark, Landed, Life
from engine.sending.life import ended_anew
from engine.sending.nonces import NonceTable
from engine.sending.view import ChainView

MARK_BLOCKS: Final = 16
"""A newer final block is kept once it is so far on."""

SHOWN_DIGITS: Final = 10

_CHORES: Final = {PAUSE: "pausing our contract", UNPAUSE: "letting our contract run again"}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownChain:
    """The chain of a desk; see the module.

    Attributes:
        warn: tells a person.
        crash: see `durable_file.Boundary`.
    """

    terms: DeskTerms
    table: NonceTable
    view: ChainView
    warn: Callable[[str], None]
    crash: Callable[[str], None]

    async def look(self, head: HeadNow, still_open: Callable[[], Sequence[Life]]) -> bool:
        """Look whether this still is the chain that is known; say whether another began.

        Raises:
            TransientError: nodes do not say, or show another chain where there is but one.
        """
        chain_id = self.terms.route.chain_id
        mark = self.table.chains.mark(chain_id)
        if mark is None:
            if head.final_hash:
                self.table.chains.keep_mark(chain_id, _mark(head, era=0))
            return False
        if await self.view.hash_at(mark.block) == mark.block_hash:
            if head.final >= mark.block + MARK_BLOCKS and head.final_hash:
                newer = msgspec.structs.replace(mark, block=head.final, block_hash=head.final_hash)
                self.table.chains.keep_mark(chain_id, newer)
            return False
        what = f"block {mark.block} of {self.terms.chain} was {mark.block_hash} for good"
        if not self.terms.may_begin_anew:
            self.warn(f"{what}, and is not there: nothing is sent to another chain")
            raise TransientError(f"{what}, and its nodes show another one or none")
        if not head.final_hash:
            return False
        self._begin_anew(mark, head, still_open())
        return True

    def chore(self, life: Life, landed: Landed | None) -> Chore | None:
        """Return what a transaction cost that carries no plan out, None for one that does."""
        if self.table.handed(life.client_order_id) is not None:
            return None
        paid_wei = 0
        if landed is not None:
            paid_wei = landed.gas_used * landed.gas_price_wei + landed.data_fee_wei
        return Chore(
            what=_what(life),
            wallet=wallet_of(self.terms.chain),
            asset=NATIVE_ASSETS[self.terms.chain],
            gas=_coins(paid_wei),
        )

    async def see(self, head: HeadNow, recovery: str, lives: Sequence[Life]) -> WalletSeen | None:
        """Return what is ours at a head, None while it holds what was not told yet."""
        for life in lives:
            told = None if life.told is None else life.told.landed
            if life.landed is not None and life.landed != told:
                return None
        chain_id, chain = self.terms.route.chain_id, self.terms.chain
        mark = self.table.chains.mark(chain_id)
        if mark is None:
            return None
        gained, own = self.table.chains.gained_in(chain_id), tokens_of(chain)
        coins, gains, amounts = await self.view.held(
            head, recovery, [token for token, *_ in gained], [one.address for one in own]
        )
        known = self.table.chains.held_in(
            chain_id, [one.address for one, raw in zip(own, amounts, strict=True) if raw]
        )
        wallet, place = wallet_of(chain), recovery_of(chain)
        # What wraps the coin is the same asset: wrapping costs gas alone.
        in_wallet = {NATIVE_ASSETS[chain]: _coins(coins)}
        for token, raw in zip(own, amounts, strict=True):
            if token.address in known:
                had = in_wallet.get(asset := asset_of(token, symbol=""), Decimal(0))
                in_wallet[asset] = exact_sum((had, Decimal(raw).scaleb(-token.decimals)))
        return WalletSeen(
            chain=chain,
            era=mark.era,
            began=mark.began,
            block=head.number,
            block_hash=head.hash,
            told=self.table.told.newest_number(),
            held=(
                *(
                    HeldOnChain(venue=wallet, asset=asset, amount=amount)
                    for asset, amount in in_wallet.items()
                ),
                *(
                    HeldOnChain(
                        venue=place, asset=AssetCode(asset), amount=Decimal(raw).scaleb(-decimals)
                    )
                    for (_, asset, decimals), raw in zip(gained, gains, strict=True)
                ),
            ),
            coins=_coins(coins),
        )

    def _begin_anew(self, mark: ChainMark, head: HeadNow, lives: Sequence[Life]) -> None:
        chain_id, chain = self.terms.route.chain_id, self.terms.chain
        why = (
            f"the chain was begun anew: block {mark.block} of {chain} was"
            f" {mark.block_hash[:SHOWN_DIGITS]}…, and is gone"
        )
        ended, news = [], []
        for life in lives:
            since, telling = ended_anew(life, why)
            ended.append(since)
            if telling is not None:
                news.append(
                    TransactionNews(
                        client_order_id=telling.client_order_id,
                        version=telling.version,
                        fate=telling.fate,
                        why=why,
                        chore=self.chore(since, None),
                    )
                )
        self.crash("before beginning anew")
        self.table.begin_anew(chain_id, _mark(head, era=mark.era + 1), ended, news)
        self.crash("begun anew")
        self.warn(f"{why}; {len(news)} under way end with it, nothing of it is booked")


def _what(life: Life) -> str:
    if is_allowing(life.client_order_id):
        return f"allowing what {plans_id(life.client_order_id)} takes"
    return _CHORES.get(life.data, f"nonce {life.nonce} was filled")


def _mark(head: HeadNow, *, era: int) -> ChainMark:
    return ChainMark(era=era, began=head.final_hash, block=head.final, block_hash=head.final_hash)


def _coins(wei: int) -> Decimal:
    return Decimal(wei).scaleb(-NATIVE_DECIMALS)
