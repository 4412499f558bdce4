"""Screens of chains: how each is followed, and which pools of it."""

from collections.abc import Iterator

from bot.render import words
from bot.render.screen import Lines, Mark, Screen, Text, wrapped
from engine.bus.chain_reports import ChainLine, ChainsReport, PoolLine, PoolsReport, ProviderLine

_NOTHING = "No chain is followed: no provider of a node is set (SYNDICATE_CHAINS_PROVIDERS)."
_GOOD = "good"
ADDRESS_ENDS = 6


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
    lines.append(f"{words.count(chain.gaps)} gaps, {chain.listeners} listening")
    trouble = _trouble(chain)
    said = (Text(f"{trouble[0].upper()}{trouble[1:]}."),) if trouble else ()
    return Screen(
        title=f"{chain.chain}: {'followed well' if not trouble else 'in trouble'}",
        mark=Mark.WARN if trouble else Mark.GOOD,
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
    if not report.count:
        return Screen(
            title=f"No pool{f' of {of}' if of else ''} is followed",
            mark=Mark.NONE if of == "stale" else Mark.WARN,
            blocks=(Text("/chains says which chains are, and why pools are left out."),),
            note=words.BASIS_WORDS[report.basis],
        )
    stale = report.count - report.live
    last = report.first + len(report.pools)
    lines = tuple(row for one in report.pools for row in _pool_rows(one))
    where = f"{report.first + 1} to {last} of {report.count}" if report.pools else "none"
    return Screen(
        title=f"Pools: {words.count(report.live)} live, {words.count(stale)} stale",
        mark=Mark.WARN if stale or not report.count else Mark.GOOD,
        blocks=(Text(f"Those with the most in them first; {where}."), Lines(lines)),
        note=words.BASIS_WORDS[report.basis],
    )


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
    yield f"{'-'.join(pool.assets)} {pool.fee_text}{worth}"
    address = f"{pool.address[:ADDRESS_ENDS]}…{pool.address[-4:]}"
    yield f"  {pool.dex} {pool.chain} {address}"
    if pool.why:
        yield f"  stale: {pool.why}"
