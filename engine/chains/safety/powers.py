"""What somebody can do to a token later: every function of it is called by everybody who may.

A name proves nothing, so none is looked for: whoever has a say (addresses that the token tells,
keeps or was compiled with, and an account that is put into every list that it keeps) calls each
function with each of some arguments, and after each call that goes through the token is traded
once more.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from eth_hash.auto import keccak

from engine.chains.safety.code_facts import CodeFacts
from engine.chains.safety.evm import ProbeEvm
from engine.chains.safety.power_names import PLAIN, name_of
from engine.chains.safety.probed import OWNER_SLOTS, SLOTS_READ, Notes
from engine.chains.safety.token_calls import TokenCalls
from engine.chains.safety.words import WORD, WORD_MAX, address_of, address_word, number_word
from engine.domain.token_safety import Trait

CALLERS_MAX: Final = 16
UNUSED_CALLERS_MAX: Final = 6
"""Of accounts that never did anything: most are no accounts but other values."""

SELECTORS_MAX: Final = 160
_ROLES_MAX: Final = 24
_TRADES_COUNT: Final = 6
_CALL_GAS: Final = 1_000_000
_SMALLEST_ADDRESS: Final = 2**100
_ADDRESS_END: Final = 2**160
_SHORT_STRING_MAX: Final = 62
_LISTS: Final = (
    *range(SLOTS_READ),
    0x02DD7BC7DEC4DCEEDDA775E58DD541E08A116C6C53815C0BD028192F7B626800,  # roles by ERC-7201
)
_PACKED_BITS: Final = (0, 8, 16, 32, 64, 96)
_POWERS_OF_TEN: Final = (1, 5, 25, 99, 100, 1_000, 2_500, 9_999, 10_000)


class Sides(NamedTuple):
    """Who trades: a pool, a trader that holds the token, a wallet, and another one."""

    pool: str
    trader: str
    wallet: str
    other: str


class Powers:
    """Everybody's say in one token."""

    def __init__(
        self, *, token: TokenCalls, facts: CodeFacts, sides: Sides, usurper: str, notes: Notes
    ) -> None:
        self._evm: Final[ProbeEvm] = token.evm
        self._token: Final = token
        self._facts: Final = facts
        self._sides: Final = sides
        self._usurper: Final = usurper
        self._notes: Final = notes
        self._amount = token.balance(sides.trader) // 4
        self._tax_bps = 0
        self._held = (0, 0)
        self._found: dict[tuple[Trait, bytes], tuple[int, str]] = {}

    def run(self) -> None:
        """Try all of it.

        Raises:
            Unfinished: there is too much of it.
        """
        self._held = self._holdings()
        failed, self._tax_bps = self._trades()
        if failed:
            return
        patterns = tuple(self._patterns())
        selectors = [one for one in self._facts.selectors if one not in PLAIN]
        if len(selectors) > SELECTORS_MAX:
            self._notes.add(
                Trait.MISLEADS, f"has {len(selectors):,} functions; a token has some dozens"
            )
        for caller, is_usurper in self._callers():
            with self._evm.aside():
                self._evm.puppet(caller)
                if is_usurper:
                    self._put_into_lists(caller)
                for function in selectors[:SELECTORS_MAX]:
                    if not any(function == tried for _, tried in self._found):
                        self._try(caller, function, patterns, is_usurper=is_usurper)
        for (trait, _), (_, text) in self._found.items():
            self._notes.add(trait, text)

    def _try(
        self, caller: str, function: bytes, patterns: Sequence[bytes], *, is_usurper: bool
    ) -> None:
        who = "whoever has a role" if is_usurper else caller
        if caller == self._sides.other:
            who = "anybody"
        by = f"{who} by {name_of(function)}"
        supply = self._token.supply()
        token = self._token.address
        for arguments in patterns:
            sent = function + arguments
            with self._evm.aside():
                outcome = self._evm.call(caller, token, sent, gas=_CALL_GAS)
            if outcome.is_done and not self._evm.is_view(
                caller, token, sent, outcome, gas=_CALL_GAS
            ):
                with self._evm.aside():
                    self._evm.call(caller, token, sent, gas=_CALL_GAS)
                    self._look(function, by, supply)

    def _look(self, function: bytes, by: str, supply: int) -> None:
        """See what is otherwise than before."""
        if self._token.supply() > supply:
            self._find(Trait.CAN_MINT, function, f"{by} can make more of it")
        if any(now < had for now, had in zip(self._holdings(), self._held, strict=True)):
            self._find(Trait.CAN_TAKE, function, f"{by} can take it from whoever holds it")
            return
        failed, tax_bps = self._trades()
        if len(failed) == _TRADES_COUNT:
            self._find(Trait.CAN_STOP, function, f"{by} can stop all transfers")
        elif failed:
            what = " or ".join(dict.fromkeys(failed))
            self._find(Trait.CAN_BLOCK, function, f"{by} can stop that it is {what}")
        elif tax_bps > self._tax_bps + 1:
            text = f"{by} can raise its tax to {tax_bps:,} bps and more"
            self._find(Trait.CAN_TAX, function, text, size=tax_bps)

    def _find(self, trait: Trait, function: bytes, text: str, *, size: int = 0) -> None:
        """Keep the worst of each kind that a function does."""
        if size >= self._found.get((trait, function), (-1, ""))[0]:
            self._found[trait, function] = (size, text)

    def _holdings(self) -> tuple[int, int]:
        return self._token.balance(self._sides.trader), self._token.balance(self._sides.pool)

    def _trades(self) -> tuple[list[str], int]:
        """Trade once more: return what failed, and the highest tax."""
        pool, trader, wallet, other = self._sides
        tax_bps = 0
        failed = []
        with self._evm.aside():
            for what, source, target in (
                ("bought", pool, wallet),
                ("sold", trader, pool),
                ("sent", trader, other),
                ("sold", wallet, pool),
                ("bought", pool, other),
                ("sold", other, pool),
            ):
                amount = self._amount
                if source != pool:
                    amount = min(amount, self._token.balance(source))
                moved = self._token.transfer(source, target, amount)
                if moved.is_done and moved.received:
                    tax_bps = max(tax_bps, moved.tax_bps)
                else:
                    failed.append(what)
        return failed, tax_bps

    def _callers(self) -> Iterator[tuple[str, bool]]:
        """Give a stranger, whoever the token knows, and one that is put into all of its lists."""
        yield self._sides.other, False
        known: dict[str, None] = {}
        for function in self._facts.selectors[:SELECTORS_MAX]:
            said = self._evm.view(self._token.address, function, gas=_CALL_GAS)
            if len(said) == WORD:
                self._note_caller(known, int.from_bytes(said, "big"))
        for slot in (*OWNER_SLOTS, *range(SLOTS_READ)):
            self._note_callers_in(known, self._evm.slot(self._token.address, slot))
        for address in self._facts.addresses:
            self._note_caller(known, int(address, 16))
        used = [one for one in known if self._evm.is_used(one)]
        unused = [one for one in known if one not in used]
        for address in (*used[:CALLERS_MAX], *unused[:UNUSED_CALLERS_MAX]):
            yield address, False
        yield self._usurper, True

    def _note_callers_in(self, known: dict[str, None], word: int) -> None:
        """Note what may be an address in a word of storage, alone or packed with other values."""
        if word < _ADDRESS_END:
            self._note_caller(known, word)
        elif not (word % 2 == 0 and word % 256 <= _SHORT_STRING_MAX and _is_text(word)):
            for bits in _PACKED_BITS:
                self._note_caller(known, (word >> bits) % _ADDRESS_END)

    def _note_caller(self, known: dict[str, None], number: int) -> None:
        address = address_of(number)
        if _SMALLEST_ADDRESS < number < _ADDRESS_END and address not in {
            *self._sides,
            self._token.address,
            self._evm.ours,
        }:
            known[address] = None

    def _put_into_lists(self, caller: str) -> None:
        """Write a yes for the caller wherever a list of accounts or of holders of roles can be."""
        word = address_word(caller)
        roles = (bytes(WORD), *self._facts.constants[:_ROLES_MAX])
        slots = [_place(word, number_word(slot)) for slot in _LISTS]
        for slot in _LISTS:
            holders = (bytes(keccak(role + number_word(slot))) for role in roles)
            slots += [_place(word, one) for one in holders]
        self._evm.fill(self._token.address, slots, 1)

    def _patterns(self) -> Iterator[bytes]:
        """Give arguments: eight words each, which do for functions of fewer."""
        pool, trader = address_word(self._sides.pool), address_word(self._sides.trader)
        one, none = number_word(1), bytes(WORD)
        for number in (0, *_POWERS_OF_TEN, 10**18, 2**112, WORD_MAX):
            yield number_word(number) * 8
        for account in (trader, pool):
            yield account * 8
            yield account + one * 7
            yield account + none * 7
            yield account + number_word(10_000) * 7
            yield account + number_word(self._amount) * 7
            yield one + account * 7
            yield one + account + one * 6
            yield none + account * 7
            yield number_word(WORD) + one + account * 6
            yield number_word(2 * WORD) + one * 2 + account * 5
            yield number_word(2 * WORD) + none + one + account * 5
            yield number_word(2 * WORD) + number_word(4 * WORD) + one + account + one * 4


def _is_text(word: int) -> bool:
    """Say whether a word is a short string as Solidity keeps it."""
    content = number_word(word)[: word % 256 // 2]
    return content.isascii() and content.decode("ascii").isprintable()


def _place(key: bytes, of: bytes) -> int:
    return int.from_bytes(keccak(key + of), "big")
