"""Words of persons as the chat seals them, for a signer under test."""

from decimal import Decimal
from typing import Any

from engine.domain.mandates import Mandate, Scope, ScopeKind
from engine.domain.plans import Plan, digest_of_plan
from engine.domain.units import NS_PER_S
from engine.domain.words import Approved, LetRun, Mandated, SealedWord, WentLive, sealed_word

WORD_KEY = bytes(range(32))


def approved(
    terms: Plan, *, at_ns: int, by: str = "ann", engine: str = "main", key: bytes = WORD_KEY
) -> SealedWord:
    """Say that somebody approved terms."""
    word = Approved(engine=engine, by=by, at_ns=at_ns, digest=digest_of_plan(terms))
    return sealed_word(word, key)


def granted(
    mandate_id: str,
    *,
    at_ns: int,
    lasts_s: int = 600,
    by: str = "ann",
    engine: str = "main",
    key: bytes = WORD_KEY,
    **changes: Any,
) -> SealedWord:
    """Say that somebody granted a mandate, of 50,000 USD for any plan unless it is said."""
    terms: dict[str, Any] = {
        "scope": Scope(kind=ScopeKind.ANY),
        "each_usd_max": Decimal(50_000),
        "total_usd_max": Decimal(50_000),
        "edge_bps_min": Decimal(0),
    }
    mandate = Mandate(
        mandate_id=mandate_id,
        by=by,
        granted_at_ns=at_ns,
        expires_at_ns=at_ns + lasts_s * NS_PER_S,
        **terms | changes,
    )
    return sealed_word(Mandated(engine=engine, by=by, at_ns=at_ns, mandate=mandate), key)


def went_live(
    *, at_ns: int, code: str | None = None, engine: str = "main", key: bytes = WORD_KEY
) -> SealedWord:
    """Say that somebody went live."""
    return sealed_word(WentLive(engine=engine, by="ann", at_ns=at_ns, code=code), key)


def let_run(
    *,
    at_ns: int,
    chain: str = "base",
    command_id: str = "c1",
    code: str | None = None,
    key: bytes = WORD_KEY,
) -> SealedWord:
    """Say that somebody let our contract on a chain run again."""
    word = LetRun(
        engine="main", by="ann", at_ns=at_ns, chain=chain, command_id=command_id, code=code
    )
    return sealed_word(word, key)
