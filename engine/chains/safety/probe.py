"""One probe of one token: what its code tells, how it trades, who has power over it."""

from typing import Final

from eth_hash.auto import keccak

from engine.chains.safety.code_facts import CodeFacts, facts_of
from engine.chains.safety.evm import ProbeEvm, Unfinished
from engine.chains.safety.pool_swaps import PoolSwaps
from engine.chains.safety.powers import Powers, Sides
from engine.chains.safety.probed import Job, Notes, Probed
from engine.chains.safety.token_calls import TokenCalls
from engine.chains.safety.trading import Trading
from engine.chains.safety.words import address_of, number_at, selector, text_of
from engine.domain.token_safety import HARMLESS, Trait

NAME_BYTES_MAX: Final = 64
SYMBOL_BYTES_MAX: Final = 32
DECIMALS_MAX: Final = 36

_PAYER: Final = bytes.fromhex(
    "6001543314600114601557600160005401600055005b60005b60028110602157005b8060051b60040135600081136"
    "039575b506001016018565b63a9059cbb60e01b600052336004526024526000806044818085600201545af1156062"
    "57386031565b600080fd"
)
"""contracts/probe/Payer.yul: the trader."""

_IMPLEMENTATION_SLOTS: Final = {
    "EIP-1967": 0x360894A13BA1A3210667C828492DB98DCA3E2076CC3735A920A3CA505D382BBC,
    "EIP-1967 beacon": 0xA3F0AD74E5423AEBFD80D3EF4346578335A9A72AEAEE59FF6CB3582B35133D50,
    "ZeppelinOS": 0x7050C9E0F4CA769C69BD3A8EF740BC37934F8E2C036E5A723FD8EE048ED3F8C3,
    "EIP-1822": 0xC5F16F0FCC639FA48A6947836D9850F504798523BF8C9A3A87D5876CF622BCF7,
}
_IMPLEMENTATION: Final = selector("implementation()")
_META_GAS: Final = 500_000
_ERC1820: Final = "0x1820a4b7618bde71dce8cdc73aab6c95905fad24"
_PRECOMPILES_MAX: Final = 0x200


def probe(job: Job) -> Probed:
    """Probe a token to the end, or say why not."""
    one = _Probe(job)
    try:
        why_not = one.run()
    except Unfinished:
        why_not = f"more than {job.calls_max:,} calls were needed"
    return one.probed(why_not)


class _Probe:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._evm = ProbeEvm(
            url=job.url, block=job.block, ours=_made(job, "ours"), calls_max=job.calls_max
        )
        self._token = TokenCalls(self._evm, job.token)
        self._notes = Notes()
        self._trading: Trading | None = None
        self._words: tuple[str | None, str | None, int | None] = (None, None, None)

    def run(self) -> str:
        """Return what kept it from being complete, nothing if it is."""
        code = self._evm.code(self._job.token)
        facts = facts_of(code)
        if not code or facts.is_account:
            self._notes.add(Trait.NO_CONTRACT, "there is no contract at this address")
            return ""
        self._words = self._metadata()
        facts = self._look_at_code(facts)
        trader, wallet, other, usurper = (
            _made(self._job, who) for who in ("trader", "wallet", "other", "usurper")
        )
        first, second = sorted((self._job.token, self._job.counter))
        slots = {1: self._job.pool, 2: first, 3: second}
        self._evm.contract(trader, _PAYER, {at: int(value, 16) for at, value in slots.items()})
        for who in (wallet, other, usurper):
            self._evm.wallet(who)
        for who in (self._job.pool, trader):
            self._evm.puppet(who)
        self._look_at_transfer(facts, trader, wallet)
        swaps = PoolSwaps(
            self._token, TokenCalls(self._evm, self._job.counter), self._job.pool, trader
        )
        self._trading = trading = Trading(
            token=self._token, swaps=swaps, pool=self._job.pool, trader=trader, wallet=wallet
        )
        trading.run()
        is_refused = any(one.trait not in HARMLESS for one in trading.notes.all)
        if trading.why_unknown or is_refused or self._token.balance(trader) == 0:
            return trading.why_unknown
        Powers(
            token=self._token,
            facts=facts,
            sides=Sides(pool=self._job.pool, trader=trader, wallet=wallet, other=other),
            usurper=usurper,
            notes=self._notes,
        ).run()
        return ""

    def probed(self, why_not: str) -> Probed:
        """Return what was found so far."""
        name, symbol, decimals = self._words
        trading = self._trading
        taxes = trading.taxes if trading else {}
        found = (*self._notes.all, *(trading.notes.all if trading else ()))
        return Probed(
            is_complete=not why_not,
            why_not=why_not,
            name=name,
            symbol=symbol,
            decimals=decimals,
            findings=found,
            buy_tax_bps=taxes.get("buy"),
            transfer_tax_bps=taxes.get("transfer"),
            sell_tax_bps=taxes.get("sell"),
            gas_most=trading.gas_most if trading else 0,
            calls_count=self._evm.calls_count,
        )

    def _metadata(self) -> tuple[str | None, str | None, int | None]:
        texts = []
        for what, most in (("name", NAME_BYTES_MAX), ("symbol", SYMBOL_BYTES_MAX)):
            answer = self._evm.view(self._job.token, selector(f"{what}()"), gas=_META_GAS)
            text = text_of(answer, bytes_max=most)
            if text is None or not text.isprintable():
                self._notes.add(
                    Trait.HOSTILE_NAME,
                    f"its {what} is no printable text of 1 to {most} bytes ({len(answer):,} came)",
                )
                text = None
            texts.append(text)
        decimals = number_at(self._evm.view(self._job.token, selector("decimals()"), gas=_META_GAS))
        if decimals is None or decimals > DECIMALS_MAX:
            said = "not said" if decimals is None else str(decimals)[:12]
            self._notes.add(
                Trait.HOSTILE_NAME, f"its decimals are {said}, at most {DECIMALS_MAX} make sense"
            )
            decimals = None
        return texts[0], texts[1], decimals

    def _look_at_code(self, facts: CodeFacts) -> CodeFacts:
        """Return the facts of the code that really runs, behind proxies."""
        behind: list[str] = []
        for name, slot in _IMPLEMENTATION_SLOTS.items():
            if value := self._evm.slot(self._job.token, slot):
                behind.append(address_of(value))
                self._notes.add(
                    Trait.UPGRADEABLE, f"its code can be replaced ({name}: {address_of(value)})"
                )
        if facts.clone_of:
            behind.append(facts.clone_of)
        elif not behind and (said := number_at(self._evm.view(self._job.token, _IMPLEMENTATION))):
            behind.append(address_of(said))
            self._notes.add(
                Trait.UPGRADEABLE, f"its code can be replaced (EIP-897: {address_of(said)})"
            )
        self._note_instructions("its code", facts)
        for address in behind:
            more = facts_of(self._evm.code(address))
            self._note_instructions("the code behind it", more)
            facts = facts._replace(
                selectors=tuple(dict.fromkeys((*facts.selectors, *more.selectors))),
                addresses=tuple(dict.fromkeys((*facts.addresses, *more.addresses))),
                constants=tuple(dict.fromkeys((*facts.constants, *more.constants))),
            )
        return facts

    def _note_instructions(self, whose: str, facts: CodeFacts) -> None:
        if facts.destroys:
            self._notes.add(Trait.SELF_DESTRUCTS, f"{whose} can end itself")
        if facts.reads_base_fee:
            self._notes.add(
                Trait.TELLS_PROBES, f"{whose} reads the base fee, which a token has no need of"
            )

    def _look_at_transfer(self, facts: CodeFacts, trader: str, wallet: str) -> None:
        """See which other contracts a transfer asks."""
        amount = self._token.balance(self._job.pool) // 1_000
        with self._evm.aside():
            self._token.transfer(self._job.pool, wallet, amount)
            self._token.transfer(wallet, trader, amount // 2)
            touched = self._evm.touched
        known = {self._job.token, self._job.pool, trader, facts.clone_of}
        known |= {self._evm.shadow(who) for who in (self._job.pool, trader)}
        others = {
            one
            for one in touched - known
            if int(one, 16) > _PRECOMPILES_MAX and self._evm.code(one)
        }
        if _ERC1820 in others:
            self._notes.add(Trait.CALLS_BACK, "asks a registry whom to call at transfers (ERC-777)")
        elif others and not self._notes.has(Trait.UPGRADEABLE):
            self._notes.add(Trait.ASKS_OTHERS, f"a transfer asks another contract, {min(others)}")


def _made(job: Job, who: str) -> str:
    """Return an address of ours that nobody could know before."""
    return "0x" + bytes(keccak(job.seed + who.encode()))[12:].hex()
