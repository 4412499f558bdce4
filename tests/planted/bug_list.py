"""Bugs to plant, by the room in which they are. Each text stands once in its file."""

from typing import Final

from tests.planted.bug import Bug

SETTINGS: Final = "settings to engine"
RESTART: Final = "ledger to restart"
PHONE: Final = "journal to phone"
REGULAR: Final = "fakes too regular"
TIMEOUT: Final = "timeouts between roles"
EDGE: Final = "money limits at the edge"
CALM: Final = "replay too calm"
CROWD: Final = "choice under crowding"
WITHIN: Final = "within a room"
JOINT: Final = "part to part"

SET_UP = "engine/wiring/run_set_up.py"
CORE = "engine/wiring/core.py"
NOTICES = "engine/operate/journal/notices.py"
HOT_PATH = "engine/operate/hot_path.py"
DAILY_LOSS = "engine/decide/bounds/daily_loss.py"
REACH = ("tests/wiring/test_settings_reach_the_engine.py",)
LIMITS = ("tests/decide/test_limit_edges.py",)
TOLD = ("tests/operate/test_what_the_phone_is_told.py",)
CALM_TESTS = ("tests/operate/test_every_input_is_recorded.py",)

JOINTS: Final = (
    Bug(
        what="position and loss limits are swapped",
        kind=SETTINGS,
        path=SET_UP,
        old="Decimal(getattr(getattr(settings, term.section), term.name))",
        new="Decimal(getattr(getattr(settings, term.section), "
        '{"position_usd": "daily_loss_usd", "daily_loss_usd": "position_usd"}'
        ".get(term.name, term.name)))",
        tests=REACH,
    ),
    Bug(
        what="the unwind band of the settings is dropped",
        kind=SETTINGS,
        path=CORE,
        old="unwind.set(band_bps=values[UNWIND_BAND_BPS])",
        new="None",
        tests=REACH,
    ),
    Bug(
        what="the latency factor is dropped",
        kind=SETTINGS,
        path=SET_UP,
        old="factor = settings.paper.latency_factor",
        new="factor = 1.0",
        tests=REACH,
    ),
    Bug(
        what="only the median latency is scaled",
        kind=SETTINGS,
        path=SET_UP,
        old="access.spec.latency_ms_p99 * factor",
        new="access.spec.latency_ms_p99",
        tests=REACH,
    ),
    Bug(
        what="a plan lives 1,000 times as long",
        kind=SETTINGS,
        path="engine/decide/decider.py",
        old="plan_ttl_ms * NS_PER_MS",
        new="plan_ttl_ms * NS_PER_MS * 1_000",
        tests=REACH,
    ),
    Bug(
        what="orders may slip by the least edge instead of the slippage",
        kind=SETTINGS,
        path=CORE,
        old="slippage_bps=limits[SLIPPAGE_BPS]",
        new="slippage_bps=limits[EDGE_BPS]",
        tests=REACH,
    ),
    Bug(
        what="a chain's gas price of the settings is ignored",
        kind=SETTINGS,
        path=SET_UP,
        old="{**GAS_PRICES_GWEI, **settings.routes.gas_price_gwei}",
        new="dict(GAS_PRICES_GWEI)",
        tests=REACH,
    ),
    Bug(
        what="transfers cost nothing",
        kind=SETTINGS,
        path=SET_UP,
        old="transfer_bps=settings.costs.transfer_bps",
        new="transfer_bps=Decimal(0)",
        tests=REACH,
    ),
    Bug(
        what="own fees count on live markets only",
        kind=SETTINGS,
        path="engine/wiring/markets.py",
        old="if own is not None:",
        new='if own is not None and settings.markets.source == "live":',
        tests=REACH,
    ),
    Bug(
        what="what a venue takes of a buy is taken in quote everywhere",
        kind=SETTINGS,
        path=SET_UP,
        old="                buy_fee=access.spec.buy_fee,\n",
        new="",
        tests=(*REACH, "tests/wiring/test_run_set_up.py"),
    ),
    Bug(
        what="residuals are forgotten at a restart",
        kind=RESTART,
        path=SET_UP,
        old="residuals=state.residuals",
        new="residuals=[]",
        tests=REACH,
    ),
    Bug(
        what="today's loss is forgotten at a restart",
        kind=RESTART,
        path=SET_UP,
        old="realised_today_usd=Decimal(state.realised_today_usd)",
        new="realised_today_usd=Decimal(0)",
        tests=REACH,
    ),
    Bug(
        what="last prices are forgotten at a restart",
        kind=RESTART,
        path=CORE,
        old="        last_prices=header.last_prices,\n",
        new="",
        tests=REACH,
    ),
    Bug(
        what="limits that the operator set are forgotten at a restart",
        kind=RESTART,
        path=CORE,
        old="by_operator=header.limits",
        new="by_operator=None",
        tests=REACH,
    ),
    Bug(
        what="balances are forgotten at a restart",
        kind=RESTART,
        path=CORE,
        old="Inventory(header.capital, header.holdings)",
        new="Inventory(header.capital)",
        tests=REACH,
    ),
    Bug(
        what="a pause is forgotten at a restart",
        kind=RESTART,
        path=SET_UP,
        old="is_paused=state.is_paused",
        new="is_paused=False",
        tests=REACH,
    ),
    Bug(
        what="what closing a leftover realised today is forgotten at a restart",
        kind=RESTART,
        path="engine/storage/totals.py",
        old="today = exact_sum(realised_usd(row) for row in rows",
        new="today = exact_sum(row.profit_usd for row in rows",
        tests=("tests/storage/test_positions_restored.py",),
    ),
    Bug(
        what="the outcomes of commands are forgotten at a restart",
        kind=RESTART,
        path="engine/storage/totals.py",
        old="        outcomes=await outcomes.load(connection),\n",
        new="",
        tests=("tests/operate/test_once.py",),
    ),
    Bug(
        what="what a trade left over is not told",
        kind=PHONE,
        path=NOTICES,
        old="left_over=tuple(one.held for one in execution.residuals),\n                    story",
        new="left_over=(),\n                    story",
        tests=TOLD,
    ),
    Bug(
        what="a trade is told with its expected profit",
        kind=PHONE,
        path=NOTICES,
        old="profit_usd=execution.profit_usd,\n                    expected_usd",
        new="profit_usd=execution.expected_usd,\n                    expected_usd",
        tests=TOLD,
    ),
    Bug(
        what="a limit that is hit is told once and never again",
        kind=PHONE,
        path=NOTICES,
        old="LIMIT_NOTICE_NS: Final = 60_000_000_000",
        new="LIMIT_NOTICE_NS: Final = 60_000_000_000_000",
        tests=TOLD,
    ),
    Bug(
        what="two notices have one name, so that the ledger keeps one",
        kind=PHONE,
        path=NOTICES,
        old="self.count += 1",
        new="self.count = 1",
        tests=TOLD,
    ),
    Bug(
        what="a late fill is told with the profit of nothing",
        kind=PHONE,
        path=NOTICES,
        old="fills=sum(len(order.fills) for order in execution.orders),\n"
        "                    profit_usd=execution.profit_usd",
        new="fills=sum(len(order.fills) for order in execution.orders),\n"
        "                    profit_usd=Decimal(0)",
        tests=TOLD,
    ),
    Bug(
        what="a gain is told only below the threshold",
        kind=PHONE,
        path=NOTICES,
        old="not profit_usd >= self.opportunity_usd_min",
        new="profit_usd >= self.opportunity_usd_min",
        tests=REACH,
    ),
)

ROLES: Final = (
    Bug(
        what="a call over a socket never times out",
        kind=TIMEOUT,
        path="engine/bus/unix_socket.py",
        old="async with asyncio.timeout(timeout_s):",
        new="async with asyncio.timeout(None):",
        tests=("tests/bus/test_calls_end.py",),
    ),
    Bug(
        what="a call within a process never times out",
        kind=TIMEOUT,
        path="engine/bus/memory.py",
        old="async with asyncio.timeout(timeout_s):",
        new="async with asyncio.timeout(None):",
        tests=("tests/bus/test_calls_end.py",),
    ),
    Bug(
        what="a change waits for the ledger for ever",
        kind=TIMEOUT,
        path="engine/operate/outbox.py",
        old="async with asyncio.timeout(timeout_s):\n                await future",
        new="async with asyncio.timeout(None):\n                await future",
        tests=("tests/bus/test_calls_end.py",),
    ),
    Bug(
        what="closing waits for the ledger for ever",
        kind=TIMEOUT,
        path="engine/operate/outbox.py",
        old="async with asyncio.timeout(timeout_s):\n                while self.waiting",
        new="async with asyncio.timeout(None):\n                while self.waiting",
        tests=("tests/bus/test_calls_end.py",),
    ),
    Bug(
        what="a kill waits for the disk for ever",
        kind=TIMEOUT,
        path="engine/facade/killing.py",
        old="async with asyncio.timeout(PATH_S):",
        new="async with asyncio.timeout(None):",
        tests=("tests/bus/test_calls_end.py",),
    ),
    Bug(
        what="every tick is left out of the recording",
        kind=CALM,
        path=HOT_PATH,
        old="is not None:\n            self._recorder.write(self.seq, number",
        new="is not None and number != TICK.number:\n"
        "            self._recorder.write(self.seq, number",
        tests=CALM_TESTS,
    ),
    Bug(
        what="looks at the latch are recorded only when it is set",
        kind=CALM,
        path="engine/operate/world.py",
        old="if self._recorder is not None:",
        new="if self._recorder is not None and answer:",
        tests=CALM_TESTS,
    ),
    Bug(
        what="how long a frame waited is not recorded",
        kind=CALM,
        path=HOT_PATH,
        old="self._recorder.write(self.seq, InputKind.FRAME, stream, at_ns, key, payload)",
        new='self._recorder.write(self.seq, InputKind.FRAME, stream, at_ns, "", payload)',
        tests=CALM_TESTS,
    ),
    Bug(
        what="corrections of the clock are recorded at the time before",
        kind=CALM,
        path=HOT_PATH,
        old="write(self.seq, number, stream, at_ns, key, payload)",
        new="write(self.seq, number, stream, at_ns - (number == CORRECTED.number), key, payload)",
        tests=CALM_TESTS,
    ),
)

MONEY: Final = (
    Bug(
        what="a loss of exactly the limit counts as over it",
        kind=EDGE,
        path=DAILY_LOSS,
        old="loss_usd + reserve_usd <= self.limits",
        new="loss_usd + reserve_usd < self.limits",
        tests=LIMITS,
    ),
    Bug(
        what="what residuals have lost is no loss",
        kind=EDGE,
        path=DAILY_LOSS,
        old="-self.positions.realised_usd(at_ns) - marked.usd",
        new="-self.positions.realised_usd(at_ns)",
        tests=LIMITS,
    ),
    Bug(
        what="what plans under way may lose is not reserved",
        kind=EDGE,
        path=DAILY_LOSS,
        old="figures.exposure_usd + self.under_way.total_usd",
        new="figures.exposure_usd",
        tests=LIMITS,
    ),
    Bug(
        what="the gas of plans under way is not reserved",
        kind=EDGE,
        path=DAILY_LOSS,
        old="figures.gas_usd + self.under_way.gas_usd",
        new="figures.gas_usd",
        tests=LIMITS,
    ),
    Bug(
        what="a position of exactly the limit is cut",
        kind=EDGE,
        path="engine/decide/bounds/position.py",
        old="figures.exposure_usd <= room_usd",
        new="figures.exposure_usd < room_usd",
        tests=LIMITS,
    ),
    Bug(
        what="residuals take no room of the position",
        kind=EDGE,
        path="engine/decide/bounds/position.py",
        old="used_usd = left.usd + self.under_way.total_usd",
        new="used_usd = self.under_way.total_usd",
        tests=LIMITS,
    ),
    Bug(
        what="the last order of a minute is one too many",
        kind=EDGE,
        path="engine/decide/bounds/orders.py",
        old="used + figures.orders <= most",
        new="used + figures.orders < most",
        tests=LIMITS,
    ),
    Bug(
        what="an edge of exactly the least is refused",
        kind=EDGE,
        path="engine/decide/bounds/edge.py",
        old="edge_bps >= edge_bps_min",
        new="edge_bps > edge_bps_min",
        tests=LIMITS,
    ),
    Bug(
        what="a balance that just suffices is too low",
        kind=EDGE,
        path="engine/decide/balance.py",
        old="if needed <= free:",
        new="if needed < free:",
        tests=LIMITS,
    ),
    Bug(
        what="a smallest limit that makes sense is refused",
        kind=EDGE,
        path="engine/decide/limit_set.py",
        old="value < self.least or",
        new="value <= self.least or",
        tests=("tests/decide/test_limit_set.py", "tests/decide/test_limit_edges.py"),
    ),
    Bug(
        what="what is owed without a live price is taken to have become cheaper",
        kind=EDGE,
        path="engine/portfolio/leftovers.py",
        old="amount * usd - abs(amount) * usd * haircut_ratio",
        new="amount * usd - amount * usd * haircut_ratio",
        tests=("tests/portfolio/test_positions.py",),
    ),
)

CHOICES: Final = (
    Bug(
        what="when there is no room, the best open route gives way",
        kind=CROWD,
        path="engine/detect/screening/open_room.py",
        old="worst = min(rivals",
        new="worst = max(rivals",
        tests=("tests/detect/test_deep_routes.py",),
    ),
    Bug(
        what="of new routes the worst takes the room",
        kind=CROWD,
        path="engine/detect/screening/detector.py",
        old="-row[SCREENED.PROFIT_USD]))",
        new="row[SCREENED.PROFIT_USD]))",
        tests=("tests/detect/test_open_room.py",),
    ),
    Bug(
        what="a route whose plan is under way gives way",
        kind=CROWD,
        path="engine/detect/screening/open_room.py",
        old="self._kept.add(opportunity_id)",
        new="del opportunity_id",
        tests=("tests/detect/test_deep_routes.py",),
    ),
    Bug(
        what="a route without room is not looked at again when one closes",
        kind=CROWD,
        path="engine/detect/screening/open_room.py",
        old="self._is_due |= not is_displaced and legs in self.waiting_usd",
        new="del is_displaced",
        tests=("tests/detect/test_open_room.py",),
    ),
    Bug(
        what="a route that gives way is forgotten",
        kind=CROWD,
        path="engine/detect/screening/detector.py",
        old="        self._room.left_out(episode.row)\n",
        new="",
        tests=("tests/detect/test_deep_routes.py", "tests/detect/test_detector.py"),
    ),
    Bug(
        what="a single missing id of a long Binance event is no gap",
        kind=REGULAR,
        path="engine/connectors/venues/binance/feed.py",
        old="update.first_id == row.last_id + 1",
        new="row.last_id < update.first_id <= row.last_id + 2",
        tests=("tests/connectors/test_dialect_details.py",),
    ),
    Bug(
        what="a single missing id at Binance is no gap",
        kind=REGULAR,
        path="engine/connectors/venues/binance/feed.py",
        old="before_id > row.last_id:",
        new="before_id > row.last_id + 1:",
        tests=("tests/connectors/test_dialect_details.py",),
    ),
    Bug(
        what="a single missing frame at Coinbase is no gap",
        kind=REGULAR,
        path="engine/connectors/venues/coinbase/feed.py",
        old="sequence != last + 1 and",
        new="sequence not in (last + 1, last + 2) and",
        tests=("tests/connectors/test_dialect_details.py",),
    ),
)

ROOMS: Final = (
    Bug(
        what="a look-up that may have missed something counts as proof of absence",
        kind=WITHIN,
        path="engine/execute/following.py",
        old="or has_gap or not is_late",
        new="or not is_late",
        tests=("tests/execute/test_conformance.py",),
    ),
    Bug(
        what="a leg leaves although the latch was set meanwhile",
        kind=WITHIN,
        path="engine/execute/following.py",
        old="(at_ns > run.plan.deadline_ns or self._is_killed())",
        new="at_ns > run.plan.deadline_ns",
        tests=("tests/execute/test_conformance.py",),
    ),
    Bug(
        what="a fill that is told twice counts twice",
        kind=WITHIN,
        path="engine/execute/order_life.py",
        old="if fill.fill_id not in self._fill_ids)",
        new="if fill.fill_id)",
        tests=("tests/execute/test_order_life.py",),
    ),
    Bug(
        what="records of an engine that another followed are stored",
        kind=WITHIN,
        path="engine/storage/ledger.py",
        old="if generation != newest:",
        new="if generation > newest:",
        tests=("tests/storage/test_ledger_records.py",),
    ),
    Bug(
        what="what a second trade takes from a level is forgotten",
        kind=WITHIN,
        path="engine/portfolio/taken.py",
        old="taken.steps += size_steps",
        new="taken.steps = size_steps",
        tests=("tests/portfolio/test_taken.py",),
    ),
    Bug(
        what="what is left over is valued rounded up",
        kind=WITHIN,
        path="engine/portfolio/costs.py",
        old="value.quantize(QUOTE_STEP, ROUND_FLOOR, EXACT)",
        new="value.quantize(QUOTE_STEP, ROUND_CEILING, EXACT)",
        tests=("tests/portfolio/test_settle.py",),
    ),
    Bug(
        what="a pair gives one unit more than it does",
        kind=WITHIN,
        path="engine/pools/constant_product.py",
        old="return kept * reserve_out // (reserve_in * state.fee_denominator + kept)",
        new="return -(-kept * reserve_out // (reserve_in * state.fee_denominator + kept))",
        tests=("tests/pools/test_constant_product.py",),
    ),
    Bug(
        what="a book that crosses is taken",
        kind=WITHIN,
        path="engine/kernels/order_book.py",
        old="levels[2 * book + BID, bids - 1, KEY] >= -levels",
        new="levels[2 * book + BID, bids - 1, KEY] > -levels",
        tests=("tests/kernels/test_order_book.py",),
        is_interpreted=True,
    ),
    Bug(
        what="a book is fresh a moment too long",
        kind=WITHIN,
        path="engine/market/board.py",
        old="and at_ns - row[layout.CHANGED_AT_NS] <= age_ns_max",
        new="and at_ns - row[layout.CHANGED_AT_NS] <= age_ns_max + 1",
        tests=("tests/decide/test_limits.py",),
    ),
    Bug(
        what="the sandbox's Binance events overlap by one id",
        kind=WITHIN,
        path="engine/sandbox/dialects/binance.py",
        old='"U": publication.previous_id + 1',
        new='"U": publication.previous_id',
        tests=("tests/sandbox/test_dialects.py",),
    ),
    Bug(
        what="a lease is held whatever lies at its path",
        kind=WITHIN,
        path="engine/bus/lease.py",
        old="return found.st_ino == self._own.st_ino and found.st_dev == self._own.st_dev",
        new="return bool(found)",
        tests=("tests/bus/test_lease.py",),
    ),
    Bug(
        what="a stranger may tap",
        kind=WITHIN,
        path="bot/access.py",
        old="if query.from_user.is_bot or query.from_user.id != self.operator_id:",
        new="if query.from_user.is_bot:",
        tests=("tests/bot/test_access.py",),
    ),
    Bug(
        what="a second step counts twice",
        kind=WITHIN,
        path="bot/confirmations.py",
        old="        del self._pending[nonce]\n",
        new="",
        tests=("tests/bot/test_confirmations.py",),
    ),
    Bug(
        what="a size is rounded to the nearest lot",
        kind=WITHIN,
        path="engine/domain/instruments.py",
        old="(size_base / self.lot_base).to_integral_value(ROUND_FLOOR)",
        new="(size_base / self.lot_base).to_integral_value()",
        tests=("tests/domain/test_values.py", "tests/quote", "tests/decide/test_balance.py"),
    ),
)

PAPER_EXECUTOR = "engine/execute/paper.py"
PAPER_CHAINS = "engine/execute/paper_chains.py"
GATE = ("tests/execute/test_waiting_intents.py",)
BLOCKS = ("tests/execute/test_blocks_of_transactions.py",)
LATE = ("tests/execute/test_told_late.py",)
SIMULATED = tuple(
    f"tests/simulation/test_simulation.py::test_no_invariant_fails_whatever_happens[{seed}]"
    for seed in range(1, 13)
)

PAPER: Final = (
    Bug(
        what="the decider takes every pool for stale",
        kind=JOINT,
        path=CORE,
        old="is_pool_fresh=graph.is_pool_fresh",
        new="is_pool_fresh=lambda _number, _at_ns: False",
        tests=("tests/wiring/test_pools_in_a_run.py",),
    ),
    Bug(
        what="a run does not wait for its intents",
        kind=JOINT,
        path=SET_UP,
        old="waits_for_intents=_waits_for_intents(settings.markets)",
        new="waits_for_intents=False",
        tests=SIMULATED,
    ),
    Bug(
        what="an order that unwinds leaves before its intent is stored",
        kind=WITHIN,
        path=PAPER_EXECUTOR,
        old="if self._waits_for_intents:",
        new="if self._waits_for_intents and act.order.purpose is Purpose.LEG:",
        tests=GATE,
    ),
    Bug(
        what="what waits for its intent as the clock is set leaves later",
        kind=WITHIN,
        path="engine/execute/executor_list.py",
        old="for pair in one.waiting.items()]",
        new="for pair in one.waiting.items() if False]",
        tests=GATE,
    ),
    Bug(
        what="what the ledger refuses for good leaves",
        kind=JOINT,
        path="engine/operate/outbox.py",
        old="self.on_intent(record, error is None)",
        new="self.on_intent(record, True)",
        tests=("tests/operate/test_outbox.py",),
    ),
    Bug(
        what="an intent that is stored while closing lets its orders leave",
        kind=JOINT,
        path="engine/operate/outbox.py",
        old="        self.on_intent = _nobody  # nothing leaves any more\n",
        new="",
        tests=("tests/operate/test_outbox.py",),
    ),
    Bug(
        what="a transaction's deadline counts from its pools' last change",
        kind=WITHIN,
        path="engine/quote/atomic.py",
        old="if head is not None:",
        new="if head is None:",
        tests=BLOCKS,
    ),
    Bug(
        what="a transaction lands in the block that is known already",
        kind=WITHIN,
        path=PAPER_CHAINS,
        old="return None if head is None else head + 1",
        new="return head",
        tests=BLOCKS,
    ),
    Bug(
        what="a transaction pays for gas what was planned, whatever it costs",
        kind=WITHIN,
        path=PAPER_CHAINS,
        old="self._sight.gas_prices_gwei.get(plan.chain, plan.gas.price_gwei)",
        new="plan.gas.price_gwei",
        tests=BLOCKS,
    ),
    Bug(
        what="a block takes a transaction that pays too little for gas",
        kind=WITHIN,
        path=PAPER_CHAINS,
        old="return self._gas_price_gwei(plan) > plan.gas.price_gwei",
        new="return False",
        tests=BLOCKS,
    ),
    Bug(
        what="fills that are told late never are",
        kind=WITHIN,
        path=PAPER_EXECUTOR,
        old="late_ns = self._told_late[0][0] if self._told_late else NEVER_NS",
        new="late_ns = NEVER_NS",
        tests=LATE,
    ),
    Bug(
        what="a late fill is not booked in the inventory",
        kind=WITHIN,
        path="engine/core/pipeline.py",
        old="            self._inventory.add([execution])\n",
        new="            self._inventory.add([] if execution.corrects else [execution])\n",
        tests=LATE,
    ),
    Bug(
        what="a reorganisation undoes one block too few",
        kind=WITHIN,
        path="engine/detect/moving/moving_pools.py",
        old="chain.blocks.undo(block.undone)",
        new="chain.blocks.undo(max(block.undone - 1, 0))",
        tests=SIMULATED,
    ),
    Bug(
        what="pools of a chain that is lost stay known",
        kind=WITHIN,
        path="engine/detect/moving/moving_pools.py",
        old="if held is not None and (kept is None or held.block != kept):",
        new="if held is not None and kept is not None and held.block != kept:",
        tests=SIMULATED,
    ),
    Bug(
        what="a new price of gas reaches the detector alone",
        kind=JOINT,
        path=CORE,
        old="                    gas_prices_gwei=gas_prices_gwei,\n",
        new="                    gas_prices_gwei=terms.gas_prices_gwei,\n",
        tests=SIMULATED,
    ),
    Bug(
        what="the input of a transaction is not taken from the wallet",
        kind=WITHIN,
        path="engine/domain/orders.py",
        old="return exact_sum((last.amount_out, -first.amount_in, -receipt.flash_fee))",
        new="return exact_sum((last.amount_out, -first.amount_in))",
        tests=SIMULATED,
    ),
    Bug(
        what="an event without changes takes no ids",
        kind=REGULAR,
        path="engine/connectors/venues/binance/feed.py",
        old="        if outcome is _OK:\n"
        "            row.last_id = update.last_id\n"
        "            return NO_ACTIONS\n"
        "        if outcome is _NOT_PLAIN:",
        new="        if outcome is _OK:\n"
        "            if payload[start + len(_BIDS)] != 93:\n"
        "                row.last_id = update.last_id\n"
        "            return NO_ACTIONS\n"
        "        if outcome is _NOT_PLAIN:",
        tests=("tests/connectors/test_dialect_details.py",),
    ),
    Bug(
        what="the sandbox's events come at even times",
        kind=REGULAR,
        path="engine/sandbox/stage.py",
        old="self._time_rng.uniform(-UNEVEN_RATIO, UNEVEN_RATIO)",
        new="0.0",
        tests=("tests/sandbox/test_uneven_ids.py",),
    ),
)

ASKED = ("tests/decide/test_approvals.py", "tests/decide/test_approval_campaign.py")
PERMITS: Final = (
    Bug(
        what="what is approved is carried out at any price",
        kind=JOINT,
        path="engine/decide/permits.py",
        old="cut = cut_to_terms(plan, approval.plan, worst=approval.worst_quote)",
        new="cut = plan",
        tests=ASKED,
    ),
    Bug(
        what="a limit price may be looser than approved",
        kind=WITHIN,
        path="engine/decide/terms.py",
        old="limit = (min if is_buy else max)(leg.price_limit, bound.price_limit)",
        new="limit = leg.price_limit",
        tests=ASKED,
    ),
    Bug(
        what="an expired approval is taken until the next tick",
        kind=EDGE,
        path="engine/decide/approvals.py",
        old="if at_ns >= approval.expires_at_ns:\n            self.expire(at_ns)",
        new="if at_ns > approval.expires_at_ns:\n            self.expire(at_ns)",
        tests=ASKED,
    ),
    Bug(
        what="one of two people is enough",
        kind=EDGE,
        path="engine/decide/approvals.py",
        old="if len(approval.approved_by) < approval.operators_needed:",
        new="if len(approval.approved_by) < 1:",
        tests=ASKED,
    ),
    Bug(
        what="one person's two taps count as two people",
        kind=WITHIN,
        path="engine/decide/approvals.py",
        old="        if by in approval.approved_by:\n            return None\n",
        new="",
        tests=ASKED,
    ),
    Bug(
        what="the digest that was tapped is not compared",
        kind=JOINT,
        path="engine/decide/approvals.py",
        old="if approval is None or digest != approval.digest:",
        new="if approval is None:",
        tests=ASKED,
    ),
    Bug(
        what="whoever carries plans out does not look at permits",
        kind=JOINT,
        path="engine/execute/executor_list.py",
        old="why = self._refusal(plan, at_ns)",
        new='why = ""',
        tests=ASKED,
    ),
    Bug(
        what="a mandate's budget is looked at by trade alone",
        kind=EDGE,
        path="engine/decide/mandates.py",
        old="if plan.notional_usd > use.left_usd:",
        new="if plan.notional_usd > mandate.total_usd_max:",
        tests=ASKED,
    ),
    Bug(
        what="a mandate outlives a kill",
        kind=WITHIN,
        path="engine/decide/permits.py",
        old="        self.approvals.void(state, why=why, at_ns=at_ns)\n"
        "        self.mandates.end_all(why=why, at_ns=at_ns)",
        new="        self.approvals.void(state, why=why, at_ns=at_ns)",
        tests=ASKED,
    ),
    Bug(
        what="a mandate outlives a leg that failed",
        kind=WITHIN,
        path="engine/decide/mandates.py",
        old="leg.filled_base < leg.size_base for leg in legs",
        new="leg.filled_base > leg.size_base for leg in legs",
        tests=ASKED,
    ),
    Bug(
        what="approved is told though it never became durable",
        kind=JOINT,
        path="engine/operate/engine_answers.py",
        old='return Declined(why=f"{AWAY}: nothing was done; ask again")',
        new="return None",
        tests=("tests/wiring/test_approvals_in_an_engine.py",),
    ),
    Bug(
        what="a restart leaves prompts that wait",
        kind=RESTART,
        path="engine/storage/permit_store.py",
        old="        await _keep_end(connection, end)\n        told.append(",
        new="        continue\n        told.append(",
        tests=("tests/wiring/test_approvals_in_an_engine.py",),
    ),
    Bug(
        what="a kill waits for the batches before it to be answered",
        kind=CROWD,
        path="bot/telegram/front_end.py",
        old="if self.poller.has_more and not arrival.is_protective:",
        new="if False:",
        tests=("tests/bot/test_kill_lane.py",),
    ),
)

BUGS: Final = (*JOINTS, *ROLES, *MONEY, *CHOICES, *ROOMS, *PAPER, *PERMITS)
