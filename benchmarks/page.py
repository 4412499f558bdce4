"""docs/benchmarks.md, made from what the benchmarks stored last; `python -m benchmarks.page`."""

import json
from pathlib import Path
from typing import Any

from benchmarks import harness
from benchmarks.peers import compare

FOLDER = Path(__file__).parent
LATEST = FOLDER / "latest.json"
PEERS = FOLDER / "latest-peers.json"
GROWTH = FOLDER / "latest-growth.json"
BUSY_CORES = 0.2
"""Fewer cores at other work are a quiet machine."""

PAGE = FOLDER.parent / "docs" / "benchmarks.md"

READING = """# Benchmarks

Times are of single calls, the collector off, less what an empty call takes; median and tails, never
means. On a shared machine the tails beyond p99 are the scheduler's.

## Our own figures

Made by `make bench`; `benchmarks/latest.json` holds the same rows. `machine.loop` is a loop of
100,000 additions in Python before each part: how fast the machine was, and how evenly. `full_path`
is the engine's own way from the bytes of a recorded frame to the decision; its throughput is frames
over their summed time, on one core. Binance frames hold 29 levels on average and some hundreds at
their 99th percentile, the other venues' one to three. `full_path.binance.in_market` is the same
with the book among 500 tokens and 4,000 pools and a gap open to another venue's book: every change
is scanned for routes of up to four legs, and the open route is sized anew and followed.
`full_path.*.outliving` counts Python objects that are made during a frame and still there after it,
recording and sharing of prices on; `blocks_gained` is what memory gains over whole passes of a
recording, each of which opens the connection anew. `cycles` are whole scans called from Python;
sizing is of a call from Python. `kernels.from_cache` is a fresh process from its start until every
kernel is loaded. `start_to_first_live_book` and `memory_of_all_roles` are of
a whole installation on the sandbox, with compiled kernels cached.

`providers` is a question to a node on loopback, in a process of its own that answers from memory:
through the pool of providers by HTTP and by WebSocket, agreed on by two, and a batch of 100, beside
plain aiohttp in turns: processor time on our side alone, without what node and network take.

`signer.signed` is a transaction signed through the role `signer`, seen by whoever asks: taken
apart, compared with its plan, counted, signed, on disk, back. `asked` is another question to the
same process, `bare_signature` libsecp256k1's alone, `eth_account` what that library takes. Those
come one right after the other; `20 ms apart` they come as in a market, where nothing of the process
is in any cache any more, `rehearsed` as whoever sends has it.

`venue_signer.placed` is an order for an exchange signed the same way, at the pace at which all five
venues together take orders: `asked` is a question to a venue, signed; the bare ones are signatures.

`placing` are the two orders of a plan at exchanges of the sandbox, over its port, signer and trader
as processes of their own: until whoever hands them over is answered (`taken_on`, which waits for
one sync), until the system has both to send (`on_the_wire`), until the first and both are read at
the exchanges, which share a process (`first_there`, `both_there`), and from there until their ends
are told. Trader and signer were told of them while the ledger would store their intent, as they are
by an engine; `cold` they come out of nowhere. `way` is when each step is reached, from the
hand-over on: read and checked by the trader (`handed over`), the signer's question made and the
table begun, the question read by the signer and answered (`question taken`, `signed`) while the
table is written and synced (`synced`), its answer read (`signatures there`). `floor` is what is
left of it where nothing is done: a sync of as much as is written, and a question of that size
answered by a thread. `ccxt` is the same two orders by that library's `createOrder`, both at once,
in turns with ours in the same run: a process that writes nothing down, counts nothing and holds its
own keys, markets loaded, connections open, from its decision.

`reconciling` compares the accounts of five exchanges with ten thousand orders that are written here
and their fills: the trader's own code from the first call to the last difference, the sandbox's
accounts answering in the same process, without network and without the pace at which a venue may be
asked. `calls` are those that a venue has to answer for its part of them: Kraken lists fifty fills
in one, so that its own pace makes minutes of what is reckoned in a second.

`sending` is a plan on a real node with our contract, handed over right after a block: what routes
read of the block (`state_of_a_new_block`), until whoever hands it over is answered (`handed_over`,
which waits for the sync of its nonce), carried out on an EVM of ours (`simulated`), signed by the
role (`signed`), all from the hand-over until it is signed (`handed_over_to_signed`: these, and the
nonce on disk), and until it was sent to a node that makes a block of it at once (`whole_step`).

`live_path` (`make bench-live`) is all of it while a whole installation is live on the sandbox: from
the instant at which its node tells of a block, by a subscription of the benchmark's own, until the
engine's plan (`told_to_decided`), until the ledger has its intent and it is handed over
(`decided_to_handed_over`), until it is signed. Blocks and chances are the sandbox's: some tens in a
run of ninety seconds.

`blocks` are blocks of a chain in a market of 500 tokens and 10,000 pairs: `take` from the moves to
the screened routes, `hear` from the bytes of the word that tells of a block, with the text that is
recorded, which is what holds the engine's loop; `undo` is other blocks in the place of some.
`chains.role` is the role before it: from a node's text of events to that word, and the undoing of
blocks among 5,000 pools. `chains.path` is a block's whole way in one process, without the socket
between the roles: all that the role does from the bytes of a node's answer (read, checked, its
filter compared, taken by 10,000 pairs that it follows), the word, and what the engine does from
there to the screened routes (`make bench PARTS=routes`). Its head was heard before, as its
events are asked for by that, and every pair has moved before. A block of 200 moves took 1.9 ms at
the median and 3.2 at p99 with nothing beside it (one move 0.12 and 0.21) while bounds of two legs
were raised at once and what a block takes the place of was freed on its way
(`docs/decisions/0071-blocks-in-columns.md`, `0100-bounds-are-raised-when-they-are-read.md`). What
is left is memory more than work: pools are far apart, and each is looked up in both roles, twice.
`chains.peers` are
the same events taken by others in one run: web3.py
decodes alone, degenbot (Rust) keeps pairs. `chains.follow` (`make follow-bench`) is what whole
roles take of a core while real pairs on a real node move 200 times a second, a block each half
second, with the sandbox's books beside; at the end every pair is as the node has it. The stored
rows were taken beside other work, which took the node some of its pace.

### Frames on a schedule

All of the above is back to back: caches are warm and nothing has to wake up. `paced` is what a
market does. A venue in a process of its own sends Coinbase's recorded frames over TLS, 0.3, 3 and
30 ms apart, each at its own instant whatever became of those before it: a stall counts for every
frame that waited. Both sides note times of the one monotonic clock. The receiver is a process with
the product's own session, ten books in the core, recorder, shared prices and ticks of the clock.

- `schedule_to_socket`: from the instant at which a frame was due until the venue's process, awake,
  gives the sealed frame to the kernel. The venue's lateness, not ours.
- `socket_to_process`: from there, which on loopback makes the socket readable, until the event loop
  has woken up, turned to the socket and read it.
- `process_to_core`: TLS, WebSocket and session, until the core is handed the frame.
- `core_to_decision`: recorded, in its book, screened, decided.
- `socket_to_decision`: these three together, from the readable socket on.
- `schedule_to_decision`: with the venue's lateness.
- `following_pools`: the same in turns with and without 2,000 pools beside, of which a hundred move
  each half second: the ratio is the median without over that with.
- `floor.socket_to_bytes`: from the readable socket to decrypted bytes at a client on the same kind
  of event loop that does nothing: the machine's own floor, below which nothing on it comes.

`busy` is beside a whole installation on the sandbox (its own engine, ledger, sandbox and bot); the
venue's process takes a part of a core in both. `own_core` is the same with
SYNDICATE_ENGINE_CORE=own for the receiver: one core for it alone, kept awake; all else, the venue
too, shares the others. `paced.cores_busy_before` is how many cores other work of the machine kept
busy just before, `cores_busy_beside` the same with the installation. Of
300 frames 30 ms apart p99.9 is the longest. Not in these figures: what else the engine's loop does
(commands, reports, records to the ledger, REST answers), a scan among pools and other venues'
books, several connections at once, a network card.
"""

PEERS_READING = """
## Peers, side by side

Made by `make bench-peers` in one run; `benchmarks/latest-peers.json` holds the same rows. The ratio
is the peer's median over ours: below 1 it is faster. Every row says how far the results agree.

- **Books**: all decode the same recorded frames; peers get msgspec's fastest decoding into floats.
- **Cycles**: through recorded pools with their ticks, one of them moved by a trade of 1 to 3 % of
  its price; 20 moves of each kind. The result is the best whole input and its gain. "Size and
  confirm" has the pools' pieces at hand, made when the pools last changed, and confirms in plain
  integers. "Size in floats" is our screening alone and no equal of what the peer does. degenbot
  0.6 is called from Python per path, and with all 20 paths in one call, where it uses every core;
  ours is one call per path on one core. A gain is untrue if the exact forms, as the contracts,
  give another for the peer's own input: degenbot 0.3 errs where the price is in the last tick of
  a bitmap word. Where degenbot 0.6 gains much less, its own pools give more for our input: its
  search ended early.
- **Splits and cycles as convex problems**: compiled before; a call sets the reserves and solves.
  Ours knows only this kind of problem; cvxpy solves any.
"""

GROWTH_READING = """
## Growth with tokens, pools and legs

Made by `make bench-pictures`; `benchmarks/latest-growth.json` holds the same rows, and
[detector.md](detector.md) shows them as pictures. One event is one call from Python;
blocks are of 200 edges.
"""


def _load(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text()) if path.is_file() else []
    return rows


def own_table() -> str:
    """Return our own figures as a table."""
    fields = harness.Row.__dataclass_fields__
    return harness.markdown(
        [
            harness.Row(**{key: value for key, value in row.items() if key in fields})
            for row in _load(LATEST)
        ]
    )


def paced_note() -> str:
    """Say where the paced rows come from, if not from a quiet hour of the page's machine."""
    rows = _load(LATEST)
    notes = []
    for row in rows:
        if row["name"] == "paced.cores_busy_before":
            if row["machine"] != rows[0]["machine"]:
                notes.append(
                    f"The stored `paced` rows are of another machine than the rest of the table, "
                    f"{row['machine']}:\ncompare them with each other only."
                )
            if row["median"] >= BUSY_CORES:
                notes.append(
                    f"Other work kept {row['median']:.1f} cores busy while the stored `paced` rows "
                    "were taken: `alone` is not alone,\nevery stage waited for a core, and the "
                    "figures say nothing of a quiet machine."
                )
    return "".join(f"\n{note}\n" for note in notes)


def peers_table() -> str:
    """Return the comparisons as a table."""
    return compare.markdown(_load(PEERS))


def growth_table() -> str:
    """Return how scans grow as a table."""
    lines = [
        "| tokens | pools | legs | median us | p99 | p99.9 | events/s | edges/s in blocks |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row['tokens']:,} | {row['pools']:,} | {row['legs']} | {row['median']:,.2f} "
        f"| {row['p99']:,.2f} | {row['p999']:,.2f} | {row['events_per_s']:,} "
        f"| {row['events_in_blocks_per_s']:,} |"
        for row in _load(GROWTH)
    ]
    return "\n".join(lines) + "\n"


def render() -> str:
    """Return the page as the stored rows have it."""
    parts = [READING, paced_note()]
    for title, path, table in (
        ("", LATEST, own_table),
        (PEERS_READING, PEERS, peers_table),
        (GROWTH_READING, GROWTH, growth_table),
    ):
        rows = _load(path)
        if rows:
            parts.append(f"{title}\nMachine: {rows[0]['machine']}\n\n{table()}")
    return "".join(parts)


def write() -> None:
    """Write the page anew from what the runs stored last."""
    PAGE.write_text(render())


if __name__ == "__main__":
    write()
