# Every command that a person or CI runs; `make help` lists them.
SHELL := bash
.DEFAULT_GOAL := help

# Without compiled sources every process compiles them anew, and a role takes half as long again.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
SECONDS ?= 30
RUFF_TREES := .
# In so many processes all tests run side by side: two for each of two cores, as those that come first,
# with processes of their own, wait for half of their time. Each takes up to 1 GB.
WORKERS ?= 4
ALL_TESTS = $(if $(filter-out 1,$(WORKERS)),-n $(WORKERS))
PYTEST = $(PY) -m pytest -q $(if $(k),-k "$(k)",$(ALL_TESTS))

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

# ---- set-up: everything below sets itself up -------------------------------------------------

# pip is told not to warn: ccxt goes without one of its dependencies on purpose, see docs/ccxt.md.
$(VENV)/.runtime: requirements.lock requirements-ccxt.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Set PYTHON=python3.11"; exit 2; }
	@echo "[1/2] Installing Python packages from the hash-locked list (about a minute) ..."
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --no-warn-conflicts --disable-pip-version-check --require-hashes -r requirements.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-ccxt.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "      Installing the tools for tests ..."
	@$(PY) -m pip install --quiet --no-warn-conflicts --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

KERNELS := $(wildcard engine/kernels/*.py)
# Compiled kernels belong to the path of their sources: a folder that was moved compiles anew.
ifneq ($(shell cat $(VENV)/.kernels 2>/dev/null),$(CURDIR))
MOVED := moved
moved: ;
endif
$(VENV)/.kernels: $(VENV)/.runtime $(KERNELS) $(MOVED)
	@echo "[2/2] Compiling kernels (once; a minute or two) ..."
	@$(PY) -m compileall -q engine bot migrations
	@$(PY) -m engine warm-up
	@echo "$(CURDIR)" > $@

# The local chain's node and contracts: without them all else works, and says so.
local-chain: $(VENV)/.runtime
	@contracts/install $(CURDIR)/$(PY)

# What builds and tests our own contract; `make run` does without its 90 MB, as the built code is kept.
forge: $(VENV)/.runtime
	@contracts/install $(CURDIR)/$(PY) once forge

# A token in software, for the tests of tokens; without it they are skipped.
softhsm: $(VENV)/.runtime
	@tests/signing/get_softhsm $(VENV)

# What tries the alert rules, and what tells of them; without these their tests are skipped.
promtool: $(VENV)/.runtime
	@tests/bot/web/get_promtool $(VENV)
alertmanager: $(VENV)/.runtime
	@tests/bot/web/get_alertmanager $(VENV)

# What opens the page in the tests; without it they are skipped.
chromium: $(VENV)/.runtime
	@tests/bot/web/get_chromium $(VENV)

.PHONY: setup
setup: ## install everything that a contributor needs
	@$(MAKE) --no-print-directory -j2 $(VENV)/.kernels $(VENV)/.dev local-chain forge softhsm promtool alertmanager chromium

# ---- the product -----------------------------------------------------------------------------

.PHONY: run
run: $(VENV)/.kernels local-chain ## start in observe mode, with a chat in this terminal or on the phone (CHAINS=ethereum,base: those of the sandbox)
	@exec $(if $(CHAINS),env SYNDICATE_MARKETS_SANDBOX_CHAINS=$(CHAINS)) $(PY) -m engine run

.PHONY: run-one-process
run-one-process: $(VENV)/.kernels local-chain ## the same in a single process, for debugging
	@exec $(PY) -m bot --one-process

.PHONY: demo
demo: $(VENV)/.kernels local-chain ## run the sandbox for SECONDS=30 without a person (GATEWAY=1: with webhooks and metrics); last line is JSON
	@exec $(PY) -m engine demo --seconds $(SECONDS) $(if $(GATEWAY),--gateway)

.PHONY: replay
replay: $(VENV)/.kernels ## feed a recording (FILE=var/recordings/<run>, FROM=segment) through the same code
	@exec $(PY) -m engine replay $(FILE) $(if $(FROM),--from $(FROM))

.PHONY: effect
effect: $(VENV)/.kernels ## play the last HOURS=1 of a recording (FILE=...) with and without what was advised: what did each discovery (ID=one) change?
	@exec $(PY) -m engine effect $(FILE) $(if $(HOURS),--hours $(HOURS)) $(if $(ID),--discovery $(ID))

.PHONY: world
world: $(VENV)/.kernels $(VENV)/.dev ## HOURS=1 of SEEDS=4 seeded worlds (WORLD=rivals, control or forks) with agents that run PACE=1 times as often, and without: do they earn more than they cost? It goes on where it was ended; MINUTES=25 of it, JOBS=2 at once, PAGE=1 writes the page's row
	@$(PY) -m tests.background.agents_world $(if $(HOURS),--hours $(HOURS)) $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(PACE),--pace $(PACE)) $(if $(WORLD),--world $(WORLD)) \
	  $(if $(MINUTES),--minutes $(MINUTES)) $(if $(JOBS),--jobs $(JOBS)) $(if $(PAGE),--page)

.PHONY: trace
trace: $(VENV)/.kernels ## show the frames that caused an opportunity or trade (ID=...)
	@exec $(PY) -m engine trace $(ID)

.PHONY: deploy
deploy: $(VENV)/.runtime ## deploy our contract on CHAIN=base of the sandbox, or on a network (PROXY=1, RECOVERY=0x, WRAPPED=0x); shows the cost, then asks
	@exec $(PY) -m engine deploy --chain "$(CHAIN)" $(if $(PROXY),--upgradeable) \
	  $(if $(RECOVERY),--recovery "$(RECOVERY)") $(if $(WRAPPED),--wrapped "$(WRAPPED)") $(if $(OWNER),--owner-keystore "$(OWNER)")

.PHONY: self-test
self-test: $(VENV)/.runtime ## try all that going live on CHAIN=base needs: signer, key, balances, contract, roles, a simulated route
	@exec $(PY) -m engine self-test --chain "$(CHAIN)"

.PHONY: api-key
api-key: $(VENV)/.runtime ## make a key for the HTTP API: NAME=phone RANK=viewer, operator or admin; it is shown once
	@$(PY) -m bot.web keys add "$(NAME)" --rank "$(or $(RANK),viewer)"

.PHONY: api-key-new
api-key-new: $(VENV)/.runtime ## make a new key in the place of NAME=, shown once; the old one opens an hour more
	@$(PY) -m bot.web keys renew "$(NAME)"

.PHONY: api-keys
api-keys: $(VENV)/.runtime ## list the keys of the HTTP API
	@$(PY) -m bot.web keys list

.PHONY: api-key-off
api-key-off: $(VENV)/.runtime ## let the key NAME= of the HTTP API open nothing any more
	@$(PY) -m bot.web keys remove "$(NAME)"

.PHONY: hook
hook: $(VENV)/.runtime ## let a provider post events of chains: NAME=pools PROVIDER=moralis, alchemy or quicknode, CHAIN=base; asks for its secret
	@$(PY) -m bot.web hooks add "$(NAME)" --provider "$(PROVIDER)" --chain "$(CHAIN)"

.PHONY: hook-secret
hook-secret: $(VENV)/.runtime ## another secret for the webhook NAME=; the old one is good for OLD_HOURS=48 more
	@$(PY) -m bot.web hooks rotate "$(NAME)" --old-hours $(or $(OLD_HOURS),48)

.PHONY: hooks
hooks: $(VENV)/.runtime ## list webhooks and until when an old secret is good
	@$(PY) -m bot.web hooks list

.PHONY: hook-off
hook-off: $(VENV)/.runtime ## take nothing at the webhook NAME= any more
	@$(PY) -m bot.web hooks remove "$(NAME)"

.PHONY: gateway-campaign
gateway-campaign: $(VENV)/.kernels $(VENV)/.dev ## N bodies of webhooks, half of them forged, changed or replayed, while the gateway is killed KILLS times
	@$(PY) -m tests.bot.web.hooks.campaign --bodies $(or $(N),1000000) --kills $(or $(KILLS),1000) --seed $(or $(SEED),1)

.PHONY: hook-load
hook-load: $(VENV)/.kernels $(VENV)/.dev ## webhooks at RATE=1000 a second for SECONDS: from receipt to trigger, and to the answer
	@$(PY) -m tests.bot.web.hooks.load --seconds $(SECONDS) --rate $(or $(RATE),1000)

.PHONY: exchange-test
exchange-test: $(VENV)/.runtime ## try all that orders at VENUE=kraken need: key, its rights, a small order far from the market, reconciliation
	@exec $(PY) -m engine exchange-test --venue "$(VENUE)"

.PHONY: kill
kill: $(VENV)/.runtime ## set the kill latch of all engines from this shell, ENGINE=id of one
	@exec $(PY) -m engine kill $(if $(ENGINE),--engine "$(ENGINE)")

.PHONY: unkill
unkill: $(VENV)/.runtime ## clear that latch from this shell, after a confirmation
	@exec $(PY) -m engine unkill $(if $(ENGINE),--engine "$(ENGINE)")

.PHONY: enroll
enroll: $(VENV)/.runtime ## set up the authenticator (QR code) that /unkill on the phone asks for
	@exec $(PY) -m engine enroll $(if $(AGAIN),--again)

.PHONY: bookmark
bookmark: $(VENV)/.runtime ## print the address that kills once, for the phone's home screen
	@exec $(PY) -m engine bookmark

.PHONY: audit
audit: $(VENV)/.runtime ## check the chain of all acts; HEAD=hash that was noted must be in it
	@exec $(PY) -m engine audit verify $(if $(HEAD),--head $(HEAD))

.PHONY: pair
pair: $(VENV)/.runtime ## let the phone in that writes the code shown here: yours, or RANK=viewer, operator, admin
	@exec $(PY) -m engine pair $(if $(RANK),--rank $(RANK))

.PHONY: health
health: $(VENV)/.runtime ## ask the running engine whether it is well (exit code 0 if so)
	@exec $(PY) -m engine health

.PHONY: prices
prices: $(VENV)/.kernels ## print the running engine's prices; WATCH=1 keeps them up to date
	@exec $(PY) -m engine prices $(if $(WATCH),--watch)

.PHONY: verify-pools
verify-pools: $(VENV)/.runtime local-chain ## compare pools and N=200 quotes a chain (CHAIN=one of them) with the nodes' own answers
	@exec $(PY) -m engine verify-pools $(if $(N),--count $(N)) $(if $(CHAIN),--chain $(CHAIN)) $(if $(SEED),--seed $(SEED))

.PHONY: migrate
migrate: $(VENV)/.runtime ## bring the database to this version's schema
	@exec $(PY) -m engine migrate

.PHONY: restore
restore: $(VENV)/.runtime ## put a backup (FILE=var/backups/...) in the place of the database
	@exec $(PY) -m engine restore $(FILE)

# ---- tests and checks ------------------------------------------------------------------------

.PHONY: test
test: setup ## all tests; k=words selects, WORKERS=1 runs one after the other
	@$(PYTEST)

.PHONY: test-fast
test-fast: $(VENV)/.dev local-chain ## tests without the slow ones
	@$(PYTEST) -m "not slow"

.PHONY: test-long
test-long: setup ## what `make test` leaves out: long scenarios, and four times the examples of each rule (an hour)
	@SYNDICATE_TESTS_DEEP=1 $(PYTEST) -m "campaign or hypothesis"

.PHONY: format
format: $(VENV)/.dev ## format the code
	@$(VENV)/bin/ruff format -q $(RUFF_TREES) && $(VENV)/bin/ruff check -q --fix $(RUFF_TREES)

.PHONY: lint
lint: $(VENV)/.dev ## format, lint, imports, types, generated pages: the checks that take seconds
	@$(VENV)/bin/ruff format --check -q $(RUFF_TREES)
	@$(VENV)/bin/ruff check -q $(RUFF_TREES)
	@$(VENV)/bin/lint-imports --no-logo
	@$(VENV)/bin/mypy
	@$(PY) -m engine.settings.reference --check
	@$(PY) -m bot.docs --check
	@$(PY) -m bot.web.reference --check

.PHONY: check
check: ## all that CI checks, what fails fast first
	@.ci/run

.PHONY: docs
docs: $(VENV)/.dev ## make .env.example and the pages docs/configuration.md, commands.md and api.md anew
	@$(PY) -m engine.settings.reference
	@$(PY) -m bot.docs
	@$(PY) -m bot.web.reference

# ---- the contract ------------------------------------------------------------------------------

.venv-contracts/.ready: contracts/forge/requirements.lock
	@echo "Installing the tools that look for faults in contracts (a minute) ..."
	@test -x .venv-contracts/bin/python || $(PYTHON) -m venv .venv-contracts
	@.venv-contracts/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r contracts/forge/requirements.lock
	@touch $@

# Each thing said of the contract, at length; `make test` tries a sample of it.
.PHONY: contracts
contracts: $(VENV)/.dev .venv-contracts/.ready ## install node, contracts and forge, also after that failed once; then fuzz, coverage, gas, slither, halmos
	@contracts/install $(CURDIR)/$(PY) again
	@contracts/install $(CURDIR)/$(PY) again forge
	@$(PY) -m tests.contracts.full $(if $(PARTS),--parts "$(PARTS)")

.PHONY: contracts-write
contracts-write: $(VENV)/.dev local-chain forge ## write the contract's artifacts and gas figures anew, after its sources changed
	@$(PY) -m tests.sending.vectors
	@$(PY) -m tests.contracts.building
	@$(PY) -m tests.contracts.full --parts gas-write

# ---- figures and campaigns: long runs, on request --------------------------------------------

.venv-bench/.ready: requirements.lock benchmarks/requirements.lock
	@echo "Installing the peers that benchmarks measure beside us (a minute) ..."
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements.lock -r benchmarks/requirements.lock
	@touch $@

# Peers that cannot share our packages, each with its own.
.venv-bench/degenbot-03/.ready: .venv-bench/.ready benchmarks/requirements-degenbot-03.lock
	@echo "Installing degenbot 0.3 and cvxpy (half a minute) ..."
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r benchmarks/requirements-degenbot-03.lock
	@touch $@

PYTHON_NEW ?= $(shell for one in python3.13 python3.12 $$HOME/.pyenv/versions/3.1[23]*/bin/python3; do \
  "$$one" -c 'import sys; sys.exit(sys.version_info < (3, 12, 2))' 2>/dev/null && echo "$$one" && break; done)

.venv-bench/degenbot-06/.ready: .venv-bench/.ready benchmarks/requirements-degenbot-06.lock
	@if test -z "$(PYTHON_NEW)"; then \
	  echo "No Python 3.12.2 or newer here (PYTHON_NEW=...): degenbot 0.6 is left out"; \
	else \
	  echo "Installing degenbot 0.6 (a few seconds) ..." && \
	  { test -x $(@D)/bin/python || "$(PYTHON_NEW)" -m venv $(@D); } && \
	  $(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	    -r benchmarks/requirements-degenbot-06.lock && touch $@; \
	fi

.venv-api/.ready: tests/api/requirements.lock
	@echo "Installing schemathesis, which asks the API whatever its description allows (a minute) ..."
	@test -x .venv-api/bin/python || $(PYTHON) -m venv .venv-api
	@.venv-api/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r tests/api/requirements.lock
	@touch $@

.PHONY: api-fuzz
api-fuzz: $(VENV)/.kernels $(VENV)/.dev local-chain .venv-api/.ready ## ask a whole installation's API whatever its description allows, and what it does not (EXAMPLES=25 of each, SEED=1)
	@$(PY) -m tests.api.fuzz --examples $(or $(EXAMPLES),25) --seed $(or $(SEED),1)

.PHONY: load
load: $(VENV)/.kernels $(VENV)/.dev local-chain ## USERS=500 at once at the API of a whole installation for SECONDS=30: what do they wait for?
	@$(PY) -m tests.api.load --users $(or $(USERS),500) --seconds $(SECONDS) --seed $(or $(SEED),1)

.PHONY: forged-tokens
forged-tokens: $(VENV)/.dev ## show N=100000 tokens that nobody was given (SEED=1): is one let in?
	@$(PY) -m tests.bot.web.forged_tokens --count $(or $(N),100000) --seed $(or $(SEED),1)

.PHONY: discover-bench
discover-bench: $(VENV)/.dev local-chain ## find POOLS=5000 real pools at a local node, and trust them again after a restart
	@$(PY) -m benchmarks.discovery --pools $(or $(POOLS),5000)

.PHONY: follow-bench
follow-bench: $(VENV)/.kernels $(VENV)/.dev local-chain ## follow POOLS=2000 real pools at EVENTS=200 a second: how much of a core each role takes
	@$(PY) -m benchmarks.following --pools $(or $(POOLS),2000) --events $(or $(EVENTS),200)

.PHONY: role-memory
role-memory: $(VENV)/.kernels $(VENV)/.dev local-chain ## memory of the role chains with POOLS=5000 on six local chains; EACH=1: a process for each
	@$(PY) -m benchmarks.role_memory --pools $(or $(POOLS),5000) $(if $(EACH),--each)

.PHONY: bench
bench: $(VENV)/.kernels .venv-bench/.ready ## measure every figure (PARTS="blocks logs": some); writes benchmarks/latest.json
	@.venv-bench/bin/python -m benchmarks $(PARTS)

.PHONY: bench-live
bench-live: $(VENV)/.kernels $(VENV)/.dev local-chain ## from a block to its signed transaction while all roles are live on the sandbox (SECONDS=90)
	@$(PY) -m benchmarks.live_path --seconds $(if $(filter command line environment,$(origin SECONDS)),$(SECONDS),90)

.PHONY: bench-preemption
bench-preemption: $(VENV)/.kernels ## how fast background work is out of the way (N=100000 triggers; a quarter of an hour)
	@$(PY) -m benchmarks.preemption --triggers $(or $(N),100000)

.PHONY: bench-sessions
bench-sessions: $(VENV)/.kernels ## what frames take while background work is held, just after and else, in its own session and in the engine's (TURNS=2; three minutes)
	@$(PY) -m benchmarks.preemption_sessions --turns $(or $(TURNS),2)

.PHONY: bench-peers
bench-peers: $(VENV)/.kernels .venv-bench/.ready .venv-bench/degenbot-03/.ready .venv-bench/degenbot-06/.ready ## other libraries on the same tasks, side by side
	@.venv-bench/bin/python -m benchmarks.peers

.PHONY: bench-checkpoints
bench-checkpoints: $(VENV)/.runtime ## what it costs background work to be interruptible, and how soon it goes on
	@$(PY) -m benchmarks.checkpoints

.PHONY: bench-pictures
bench-pictures: $(VENV)/.kernels .venv-bench/.ready ## draw how latency grows with tokens, pools and legs
	@.venv-bench/bin/python -m benchmarks.pictures

.PHONY: bench-chat
bench-chat: $(VENV)/.kernels $(VENV)/.dev ## how fast a kill, screens and pictures are on the phone (KILLS=100)
	@$(PY) -m tests.scenarios.chat_figures --kills $(or $(KILLS),100)

.PHONY: chat-campaign
chat-campaign: $(VENV)/.kernels $(VENV)/.dev ## taps, hostile strings and updates by the hundred thousand, a bad network, kill -9 of the chat
	@$(PY) -m tests.decide.approval_campaign --taps 200000 --seed $(or $(SEED),1)
	@$(PY) -m tests.bot.hostile_campaign --strings 100000 --updates 1000000 --seed $(or $(SEED),1)
	@$(PY) -m tests.bot.network_campaign --trials $(or $(TRIALS),2000) --seed $(or $(SEED),1)
	@$(PY) -m tests.scenarios.chat_kills --kills $(or $(KILLS),300) --seed $(or $(SEED),1)

.PHONY: reorgs
reorgs: $(VENV)/.kernels $(VENV)/.dev ## N=1000 reorganisations of a real node, depth 1 to 20: are all pools as it has them after each?
	@$(PY) -m tests.chains.following.reorg_campaign --count $(or $(N),1000) --seed $(or $(SEED),1)

.PHONY: soak
soak: $(VENV)/.kernels $(VENV)/.dev local-chain ## run everything for MINUTES=10 on the sandbox: does any role's memory grow?
	@$(PY) -m tests.scenarios.soak --minutes $(or $(MINUTES),10)

.PHONY: capture
capture: $(VENV)/.kernels $(VENV)/.dev local-chain ## live on the local CHAINS for MINUTES=30: what could be earned in each block is captured, or lost to which cost?
	@$(PY) -m tests.scenarios.capture --minutes $(or $(MINUTES),30) $(if $(CHAINS),--chains $(CHAINS)) $(if $(SPEED),--speed $(SPEED))

.PHONY: chain-faults
chain-faults: $(VENV)/.kernels $(VENV)/.dev local-chain ## N=300 faults of nodes put into the whole role: is nothing wrong believed, all lost counted?
	@$(PY) -m tests.chains.faults.campaign --faults $(or $(N),300) --seed $(or $(SEED),1)

.PHONY: fuzz
fuzz: $(VENV)/.kernels $(VENV)/.dev ## a million mutated frames per venue feed (an hour)
	@$(PY) -m tests.fuzz.feeds --venue all --frames 1000000 --seed 1

.PHONY: crashes
crashes: $(VENV)/.kernels $(VENV)/.dev ## kill -9 of roles (N=100) and of the ledger at random moments
	@$(PY) -m tests.scenarios.campaign --kills $(or $(N),100) --seed 1
	@$(PY) -m tests.storage.kill_campaign --kills 200 --seed 1

.PHONY: interrupt
interrupt: $(VENV)/.dev ## kill -9 of background runs, their fork server and role (N=1000), and hold them, anywhere
	@$(PY) -m tests.background.interrupt_campaign --kills $(or $(N),1000) --seed $(or $(SEED),1)

.PHONY: alert-storm
alert-storm: $(VENV)/.kernels $(VENV)/.dev ## a thousand alerts in a minute, TRIALS=200 times, against the emulated phone
	@$(PY) -m tests.bot.alerts.storm --trials $(or $(TRIALS),200) --seed $(or $(SEED),1)

.PHONY: simulate
simulate: $(VENV)/.kernels $(VENV)/.dev ## RUNS=2000 simulated runs of the whole engine, from SEED=1 on
	@$(PY) -m tests.simulation --runs $(or $(RUNS),2000) --seed $(or $(SEED),1)

.PHONY: gas-backtest
gas-backtest: $(VENV)/.dev ## how well gas prices are foretold, on recorded ones
	@$(PY) -m tests.chains.gas.backtest

.PHONY: unknown-orders
unknown-orders: $(VENV)/.dev ## follow N=100000 orders of unknown outcome to their proven end; WIRE=1 in the venues' dialects, at most MINUTES; other SEEDs add up
	@$(PY) -m tests.trading.campaign $(if $(N),--orders $(N)) $(if $(SEED),--seed $(SEED)) $(if $(WIRE),--wire) $(if $(MINUTES),--minutes $(MINUTES))

.PHONY: transfers
transfers: $(VENV)/.dev ## bring money between sandbox venues N=2000 times, with losses and ends anywhere, each to its end; other SEEDs add up
	@$(PY) -m tests.trading.transfer_campaign --transfers $(or $(N),2000) --seed $(or $(SEED),1)

.PHONY: calibration
calibration: $(VENV)/.dev ## judge what is told as probable by what came (docs/calibration.md)
	@$(PY) -m benchmarks.calibration

.PHONY: crash-points
crash-points: $(VENV)/.kernels $(VENV)/.dev ## N=100000 ends of the sender at its commit boundaries; KIND=kill: at system calls (SIGKILL), orders: of trader and signer, books: with engine and ledger, node: on a real node
ifeq ($(KIND),node)
	@SYNDICATE_CRASH_POINTS=$(or $(N),1000) $(PY) -m pytest -q -s --timeout 36000 tests/sending/test_crash_points.py
else
	@$(PY) -m tests.sending.crashes.campaign --crashes $(or $(N),100000) --kind $(or $(KIND),commits) --seed $(or $(SEED),1) --workers $(WORKERS) $(if $(MINUTES),--minutes $(MINUTES))
endif

.PHONY: mutants
mutants: $(VENV)/.kernels $(VENV)/.dev ## N=800 small faults put into ROOMS="decide ...", SEED=1: do tests notice?
	@$(PY) -m tests.mutants --count $(or $(N),800) --seed $(or $(SEED),1) --workers $(WORKERS) \
	  $(if $(ROOMS),--rooms "$(ROOMS)") $(if $(AGAIN),--again)

.PHONY: planted
planted: $(VENV)/.kernels $(VENV)/.dev ## plant each bug of the list by itself: do its tests notice?
	@$(PY) -m tests.planted

.PHONY: picture
picture: $(VENV)/.kernels $(VENV)/.dev ## draw docs/pictures/phone.png from a real conversation
	@$(PY) -m tests.scenarios.phone_record docs/pictures/phone.png

.PHONY: pictures
pictures: $(VENV)/.dev ## make the pictures and golden texts of every screen anew, to be reviewed
	@$(PY) -m tests.telegram.guide docs/guide
	@$(PY) -m tests.telegram.golden

.PHONY: page-pictures
page-pictures: $(VENV)/.dev chromium ## make the pictures of the page anew, in a real browser, and say how quick it is
	@$(PY) -m tests.bot.web.page_pictures docs/guide

.PHONY: page-campaign
page-campaign: $(VENV)/.dev ## show the gateway COUNT=100000 openings of the page that Telegram did not sign so
	@$(PY) -m tests.bot.web.forged_init_data --count $(or $(COUNT),100000) --seed $(or $(SEED),1)

.PHONY: kernels
kernels: $(VENV)/.kernels $(VENV)/.dev ## kernels against their twins, compiled and again interpreted
	@$(PY) -m pytest -q tests/kernels
	@NUMBA_DISABLE_JIT=1 $(PY) -m pytest -q tests/kernels

.PHONY: pools
pools: $(VENV)/.kernels $(VENV)/.dev ## ten million random pools: floats against the exact forms
	@$(PY) -m tests.pools.campaign_curves --cases 10000000 --seed 1

.PHONY: pending
pending: $(VENV)/.dev ## mutated calls of routers, and random swaps on a real node beside what was predicted of them
	@$(PY) -m tests.chains.pending.campaign_calldata 300000 $(or $(SEED),1)
	@$(PY) -m tests.chains.pending.campaign_predictions $(or $(N),4000) $(or $(SEED),1)

.PHONY: cycles
cycles: $(VENV)/.kernels $(VENV)/.dev ## random markets: no profitable cycle is missed, sizes are optimal
	@$(PY) -m tests.detect.cycle_campaign --events 100000 --seed 1
	@$(PY) -m tests.detect.sizing_campaign --cases 1000000 --seed 1
	@$(PY) -m tests.detect.deep_campaign --worlds 2000 --seed 1

.PHONY: detector-cases
detector-cases: $(VENV)/.kernels $(VENV)/.dev ## ten million cases of books, mixed routes and hostile numbers
	@$(PY) -m tests.detect.detector_campaign --cases 10000000 --seed 1
