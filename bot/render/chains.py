"""Screens of chains: how each is followed, and which pools of it."""

import re
from collections.abc import Iterator
from typing import Final

from bot.render import words
from bot.render.hooks import hook_rows
from bot.render.screen import Lines, Mark, Screen, Text, wrapped
from engine.bus.chain_reports import ChainLine, ChainsReport, PoolLine, PoolsReport, ProviderLine

_NOTHING = "No chain is followed: no provider of a node is set (SYNDICATE_CHAINS_PROVIDERS)."
_GOOD = "good"
UNSAFE: Final = "unsafe"
"""Of `/pools`: those that are left out for a token."""

ADDRESS_ENDS: Final = 6
SYMBOL_CHARACTERS_MAX: Final = 10
_ADDRESS: Final = re.compile(r"0x[0-9a-f]{40,64}")


def render_chains(report: ChainsReport) -> Screen:
    """Show each chain in two or three lines: head and trouble, pools, providers."""
    well = sum(not _trouble(one) for one in report.chains)
    is_well = well == len(report.chains) and report.chains
    lines = tuple(row for one in report.chains for row in _chain_rows(one))
    return Screen(
        title=f"Chains: {well} of {len(report.chains)} are followed well",
        mark=Mark.GOOD if is_well else Mark.WARN,
        blocks=(Lines(lines),) if lines else (Text(_NOTHING),),
        note=words.BASIS_WORDS[report.basis],
    )


def render_chain(report: ChainsReport, chain: ChainLine) -> Screen:
    """Show one chain: each of its providers, what happened, what is left out."""
    lines = [*_chain_rows(chain)]
    lines += [row for one in chain.providers for row in _provider_rows(one)]
    lines += _counted("stale", chain.stale)
    lines += _counted("left out", chain.left_out)
    lines.append(
        f"undone {words.count(chain.reorganisations)} times, {chain.deepest} blocks at most"
    )
    if chain.lag_ms:
        lines.append(f"told after {chain.lag_ms['p50']:g} ms, p99 {chain.lag_ms['p99']:g} ms")
    if chain.ahead:
        lines.append(
            f"{words.count(chain.ahead)} events told ahead,"
            f" {words.count(chain.ahead_kept)} of them came so"
        )
    lines.append(f"{words.count(chain.gaps)} gaps, {chain.listeners} listening")
    lines += [row for one in chain.hooks for row in hook_rows(one)]
    trouble = _trouble(chain)
    said = tuple(Text(f"{one[0].upper()}{one[1:]}.") for one in (trouble, *chain.warnings) if one)
    return Screen(
        title=f"{chain.chain}: {'followed well' if not trouble else 'in trouble'}",
        mark=Mark.WARN if said else Mark.GOOD,
        blocks=(*said, wrapped(lines)),
        note=words.BASIS_WORDS[report.basis],
    )


def render_no_chain(report: ChainsReport, wanted: str) -> Screen:
    """Say that a chain is not followed, and which are."""
    followed = ", ".join(one.chain for one in report.chains) or "none"
    return Screen(
        title=f"{wanted} is not followed",
        mark=Mark.WARN,
        blocks=(Text(f"Followed: {followed}."),),
        note=words.BASIS_WORDS[report.basis],
    )


def render_pools(report: PoolsReport, *, of: str) -> Screen:
    """Show a page of pools, two lines each, those with the most in them first."""
    if of == UNSAFE:
        return _render_unsafe(report)
    if not report.count:
        return Screen(
            title=f"No pool{f' of {of}' if of else ''} is followed",
            mark=Mark.NONE if of == "stale" else Mark.WARN,
            blocks=(Text("/chains says which chains are, and why pools are left out."),),
            note=words.BASIS_WORDS[report.basis],
        )
    stale = report.count - report.live
    said = f"Those with the most in them first; {_where(report)}."
    if report.unsafe:
        said += f" Left out for a token: {words.count(report.unsafe)}, see /pools {UNSAFE}."
    return Screen(
        title=f"Pools: {words.count(report.live)} live, {words.count(stale)} stale",
        mark=Mark.WARN if stale or not report.count else Mark.GOOD,
        blocks=(Text(said), Lines(_rows_of(report))),
        note=words.BASIS_WORDS[report.basis],
    )


def _render_unsafe(report: PoolsReport) -> Screen:
    """Show pools that are rich enough and have a token that may be in no route."""
    if not report.count:
        return Screen(
            title="No pool is left out for a token",
            blocks=(Text("/token says what was found of each."),),
            note=words.BASIS_WORDS[report.basis],
        )
    return Screen(
        title=f"Left out for a token: {words.count(report.unsafe)} pools",
        mark=Mark.NONE,
        blocks=(
            Text(f"Named as their tokens call themselves; {_where(report)}. /token has the proof."),
            Lines(_rows_of(report)),
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def _rows_of(report: PoolsReport) -> tuple[str, ...]:
    return tuple(row for one in report.pools for row in _pool_rows(one))


def _where(report: PoolsReport) -> str:
    last = report.first + len(report.pools)
    return f"{report.first + 1} to {last} of {report.count}" if report.pools else "none"


def _trouble(chain: ChainLine) -> str:
    return chain.trouble or ("no block was taken yet" if chain.head is None else "")


def _chain_rows(chain: ChainLine) -> Iterator[str]:
    if chain.head is None:
        yield f"{chain.chain} no block yet"
    else:
        yield f"{chain.chain} {chain.head:,} {words.age(round(chain.head_age_s * 1_000))} ago"
    stale = f", {words.count(chain.pools_stale)} stale" if chain.pools_stale else ""
    final = "" if chain.final is None else f", final {chain.final:,}"
    yield f"  {words.count(chain.pools_live)} pools live{stale}{final}"
    good = sum(one.state == _GOOD for one in chain.providers)
    behind = f", {chain.behind_blocks} blocks ahead" if chain.behind_blocks else ""
    if chain.warnings:
        yield f"  not all is well: /chains {chain.chain}"
    if chain.providers:
        yield f"  {good} of {len(chain.providers)} nodes good{behind}"


def _provider_rows(provider: ProviderLine) -> Iterator[str]:
    lag = "" if not provider.lag_blocks else f", {provider.lag_blocks} behind"
    yield f"{provider.name} {provider.latency_ms:,.0f} ms{lag}"
    if provider.state != _GOOD:
        yield f"  {provider.state}: {provider.why}" if provider.why else f"  {provider.state}"


def _counted(what: str, reasons: dict[str, int]) -> list[str]:
    return [
        f"{what} {words.count(count)}: {why}"
        for why, count in sorted(reasons.items(), key=lambda one: -one[1])
        if count
    ]


def _pool_rows(pool: PoolLine) -> Iterator[str]:
    worth = f" ${pool.worth_usd:,.0f}" if pool.worth_usd else ""
    yield f"{'-'.join(map(_called, pool.assets))} {pool.fee_text}{worth}"
    yield f"  {pool.dex} {pool.chain} {_ends(pool.address)}"
    if pool.why:
        why = _ADDRESS.sub(lambda found: _ends(found[0]), pool.why)
        yield f"  stale: {why}" if pool.since else f"  {why}"


def _called(asset: str) -> str:
    """Return what an asset is called; what follows that of an unknown one is its address."""
    return asset.partition("@")[0][:SYMBOL_CHARACTERS_MAX] or "?"


def _ends(digits: str) -> str:
    return f"{digits[:ADDRESS_ENDS]}…{digits[-4:]}"
