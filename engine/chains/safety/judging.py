"""What a probe's findings amount to: one verdict, and how long it holds."""

import re
import unicodedata
from typing import Final, NamedTuple

import msgspec

from engine.chains.ports import BlockRef
from engine.chains.safety.probed import Probed
from engine.domain.chains import NATIVE_ASSETS
from engine.domain.token_safety import (
    HARMLESS,
    TRUSTED_POWERS,
    Finding,
    Standing,
    Trait,
    Verdict,
)
from engine.domain.tokens import CURATED, SYMBOL_CHARACTERS_MAX

HOLDS_S: Final = {
    Standing.SAFE: 6 * 3_600,
    Standing.TAXED: 12 * 3_600,
    Standing.REFUSED: 24 * 3_600,
    Standing.UNKNOWN: 600,
}
"""For a token that nobody curated: what its code lets people do is looked at anew before long."""

CURATED_HOLDS_S: Final = 24 * 3_600
REASONS_MAX: Final = 12

TAX_BPS_MAX: Final = 3_000
"""What takes more is no tax."""

_LOOKALIKES: Final = {
    **dict(
        zip(
            (0x410, 0x412, 0x421, 0x415, 0x41D, 0x406, 0x408, 0x41A, 0x41C, 0x41E, 0x420, 0x405),
            "ABCEHIJKMOPS",
            strict=True,
        )
    ),
    **dict(
        zip(
            (0x422, 0x425, 0x423, 0x391, 0x392, 0x395, 0x396, 0x397, 0x399, 0x39A, 0x39C, 0x39D),
            "TXYABEZHIKMN",
            strict=True,
        )
    ),
    **dict(zip((0x39F, 0x3A1, 0x3A4, 0x3A5, 0x3A7, 0x30), "OPTYXO", strict=True)),
}
"""Capital letters of Cyrillic and Greek, and a digit, that look like letters of ours."""


class Question(NamedTuple):
    """Which token is asked about, and when."""

    chain: str
    token: str
    is_curated: bool
    now_s: int


def judge(
    question: Question,
    at: BlockRef | None,
    *,
    probed: Probed | None = None,
    why_not: str = "",
) -> Verdict:
    """Return the verdict on what was found."""
    found = probed.findings if probed is not None else ()
    reasons = [one for one in found if not _is_told_only(one.trait, question)]
    warnings = [one for one in found if _is_told_only(one.trait, question)]
    taxes: tuple[int | None, int | None, int | None] = (None, None, None)
    if probed is not None:
        taxes = (probed.buy_tax_bps, probed.transfer_tax_bps, probed.sell_tax_bps)
        why_not = why_not or probed.why_not
        reasons += _impersonation(question, probed)
    taxed = [
        Finding(Trait.TAXED, f"{what} loses {bps:,} bps")
        for what, bps in zip(("a buy", "a transfer", "a sale"), taxes, strict=True)
        if bps
    ]
    if reasons or any(bps and bps > TAX_BPS_MAX for bps in taxes):
        standing = Standing.REFUSED
    elif probed is None or why_not or None in taxes:
        standing = Standing.UNKNOWN
        reasons = [Finding(Trait.NOT_PROBED, why_not or "it was not probed to the end")]
    else:
        standing = Standing.TAXED if taxed else Standing.SAFE
    is_sure = standing is Standing.SAFE and question.is_curated
    return Verdict(
        chain=question.chain,
        token=question.token,
        symbol=_shown(probed.symbol if probed is not None else None),
        standing=standing,
        block_number=at.number if at else 0,
        block_hash=at.hash if at else "",
        judged_at_s=question.now_s,
        until_s=question.now_s + (CURATED_HOLDS_S if is_sure else HOLDS_S[standing]),
        reasons=(*taxed, *reasons)[:REASONS_MAX],
        warnings=tuple(warnings[:REASONS_MAX]),
        buy_tax_bps=taxes[0],
        transfer_tax_bps=taxes[1],
        sell_tax_bps=taxes[2],
        is_curated=question.is_curated,
    )


def judge_unprobed(question: Question, why: str) -> Verdict:
    """Return the verdict where no token can be probed, whatever anybody does.

    A token of the table is trusted then, as it says; no other one is.
    """
    verdict = judge(question, None, why_not=why)
    if not question.is_curated:
        return verdict
    return msgspec.structs.replace(
        verdict,
        standing=Standing.SAFE,
        symbol="?",
        reasons=(),
        warnings=(Finding(Trait.NOT_PROBED, f"trusted unprobed: {why}"),),
        until_s=question.now_s + CURATED_HOLDS_S,
    )


def looks_like(symbol: str, chain: str) -> str | None:
    """Return the symbol of a known token of a chain that one looks like or is, None if none.

    A chain whose table has no such token has nobody to be mistaken for.
    """
    native = str(NATIVE_ASSETS.get(chain, ""))
    known_symbols = {code for code, _ in CURATED.get(chain, {}).values()} | {native, f"W{native}"}
    folded = unicodedata.normalize("NFKC", symbol).upper().translate(_LOOKALIKES)
    folded = re.sub(r"[^A-Z0-9]", "", folded)
    plain = {known.translate(_LOOKALIKES): known for known in known_symbols}
    return plain.get(folded)


def _is_told_only(trait: Trait, question: Question) -> bool:
    return trait in HARMLESS or (question.is_curated and trait in TRUSTED_POWERS)


def _impersonation(question: Question, probed: Probed) -> list[Finding]:
    if question.is_curated or probed.symbol is None:
        return []
    known = looks_like(probed.symbol, question.chain)
    if known is None:
        return []
    return [Finding(Trait.IMPERSONATES, f"calls itself {_shown(probed.symbol)}, which is another")]


def _shown(symbol: str | None) -> str:
    """Return a symbol that can be shown: in ASCII, cut short."""
    plain = re.sub(r"[^A-Za-z0-9.$_-]", "?", symbol or "")
    return plain[:SYMBOL_CHARACTERS_MAX] or "?"
