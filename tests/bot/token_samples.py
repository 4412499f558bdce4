"""What is known of three tokens."""

from msgspec.structs import replace

from engine.bus.token_report import TokenLine, TokenReport
from engine.domain.modes import Basis
from engine.domain.token_safety import Finding, Standing, Trait, Verdict
from tests.bot.samples import AT_NS


def verdict(token: str, symbol: str, standing: Standing, *reasons: Finding) -> Verdict:
    """What was found of a token five minutes ago."""
    at_s = AT_NS // 10**9
    return Verdict(
        chain="base",
        token=token,
        symbol=symbol,
        standing=standing,
        block_number=31_245_678,
        block_hash="0x" + "5c" * 32,
        judged_at_s=at_s - 300,
        until_s=at_s + 21_300,
        reasons=reasons,
        buy_tax_bps=0,
        transfer_tax_bps=0,
        sell_tax_bps=0,
    )


def tokens(name: str = "") -> TokenReport:
    """Three tokens that were refused, or the one that is asked for."""
    owner = "0x7c3fb4b2f2c1c0a4f8e5f7d9c6b5a4938271605f"
    found = [
        TokenLine(
            chain="base",
            token=verdict.token,
            verdict=verdict,
            why_not="" if verdict.standing is Standing.SAFE else f"{verdict.standing}",
            is_wanted=True,
        )
        for verdict in (
            verdict(
                "0x9d2f8a3e5b7c1d4e6f80a1b2c3d4e5f60718293a",
                "MOON",
                Standing.REFUSED,
                Finding(Trait.CAN_TAX, f"{owner} by setSellTax can raise its tax to 2,500 bps"),
                Finding(Trait.SIZE_LIMITED, "25 % of the pool cannot be moved at once"),
            ),
            replace(
                verdict(
                    "0x1b7e4c5d6f8091a2b3c4d5e6f708192a3b4c5d6e",
                    "TOLL",
                    Standing.TAXED,
                    Finding(Trait.TAXED, "a sale loses 1,000 bps"),
                ),
                sell_tax_bps=1_000,
            ),
            verdict("0x5a4b3c2d1e0f9a8b7c6d5e4f30213243546576a8", "GOOD", Standing.SAFE),
        )
    ]
    asked = [
        line
        for line in found
        if name.lower() in {line.token, line.verdict.symbol.lower() if line.verdict else ""}
    ]
    shown = asked if name else [line for line in found if line.why_not]
    return TokenReport(
        basis=Basis.SANDBOX,
        now_s=AT_NS // 10**9,
        found=shown,
        found_count=len(shown),
        counts={Standing.SAFE: 212, Standing.TAXED: 9, Standing.REFUSED: 341},
        waiting=4,
    )
