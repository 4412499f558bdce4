"""Command /allowances: what others may take of the wallet and the contract, and taking it back."""

import hashlib
from typing import Final

from bot.answer import Answer, Button, Confirmation
from bot.command import Call, CommandEntry, Kind, Topic
from bot.grammar import Argument, Arguments, Form
from bot.render.allowances import numbered, render_allowances, render_ask_revoke
from bot.render.screen import Mark, Screen
from engine.bus.allowances import AllowanceLine, GetAllowances, RevokeAllowance

REVOKE: Final = "revoke"
BUTTONS_MAX: Final = 6
KEY_DIGITS: Final = 12


async def allowances(call: Call) -> Answer:
    """Show all of them, or ask once more before one is taken back."""
    report = await call.ask(GetAllowances())
    lines = numbered(report)
    if call.arguments.text("act") is None:
        taps = tuple(
            (
                Button(
                    label=f"Revoke {number}…",
                    line=f"/allowances {REVOKE} {key_of(chain, line)}",
                ),
            )
            for number, (chain, line) in enumerate(lines[:BUTTONS_MAX], 1)
        )
        rows = (*taps, (Button(label="Wallets", line="/wallets"),))
        return Answer(screen=render_allowances(report), buttons=rows)
    # By what it is, not by its number: what is shown may have changed since.
    asked = (call.arguments.text("which") or "").lower()
    found = next(((chain, line) for chain, line in lines if key_of(chain, line) == asked), None)
    if found is None:
        title = f"No allowance {asked[:KEY_DIGITS] or 'of that name'} holds now"
        return Answer(screen=Screen(title=title, mark=Mark.WARN))
    chain, line = found
    return Answer(
        screen=render_ask_revoke(report, chain, line),
        confirmation=Confirmation(
            action=f"Revoke on {chain}",
            command=call.seal(RevokeAllowance(chain=chain, line=line), at_ns=call.now_ns),
        ),
    )


def key_of(chain: str, line: AllowanceLine) -> str:
    """Return by what an allowance is asked for: a button holds no two addresses."""
    said = f"{chain} {line.by} {line.token} {line.spender}".encode()
    return hashlib.blake2b(said, digest_size=KEY_DIGITS // 2).hexdigest()


def is_revoke(arguments: Arguments) -> bool:
    """Say whether a line asks to take one back."""
    return arguments.text("act") is not None


ALLOWANCES = CommandEntry(
    name="allowances",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="what others may take; revoke",
    long_help=(
        (
            "Shows the ERC-20 allowances that the wallet and the contract have given, on each chain"
            " where we send: found by Approval logs, and asked of each token at the block that is"
            " shown. Unlimited ones stand first."
        ),
        (
            "A tap on Revoke asks once more, then sends approve(spender, 0): the signer builds that"
            " call itself and signs no other for it, while killed too. The contract leaves no"
            " allowance by itself."
        ),
    ),
    handler=allowances,
    parent="wallets",
    changes_when=is_revoke,
    grammar=(
        Argument(name="act", form=Form.CHOICE, choices=(REVOKE,)),
        Argument(name="which", form=Form.WORD),
    ),
)
