// The eight screens. Each says what it asks for, and draws what came; the frame is in app.js.

import { ask, command, leave, who } from "./api.js";
import { heatmap, lines } from "./charts.js";
import { bps, button, buttons, card, clock, count, hint, isInTelegram, lasted, make, mood, picks, row, signed, size, tiles, usd, words } from "./parts.js";
import { askFor, askToKill, go, run } from "./sheet.js";

const DAY_S = 86_400;
const NEWS_MAX = 8;
const TRADES_MAX = 100;
const may = (rank) => ["viewer", "operator", "admin"].indexOf(who.rank) >= ["viewer", "operator", "admin"].indexOf(rank);
const ns = (seconds) => `${Math.floor(seconds)}000000000`;
const nothing = (text) => hint(text);

// ---- what the stream told, newest first --------------------------------------------------------

const news = [];
const fresh = [];

export function hear(name, notice) {
  news.unshift({ name, notice });
  news.length = Math.min(news.length, NEWS_MAX);
  if (name === "PaperTraded") {
    fresh.unshift(notice);
    fresh.length = Math.min(fresh.length, TRADES_MAX);
  }
}

function newsRow({ name, notice }) {
  const plan = notice.approval?.plan;
  const what = [notice.pair, notice.buy_venue && `${notice.buy_venue} → ${notice.sell_venue}`, notice.venue, notice.role,
    notice.name, notice.mode, notice.reason && words(notice.reason), plan && `${usd(plan.notional_usd)} asked for`,
    notice.why || notice.detail].filter(Boolean).join(" · ");
  return row(words(name), what, notice.profit_usd == null ? clock(notice.at_ns) : signed(notice.profit_usd),
    { kind: mood(notice.profit_usd), endSub: notice.profit_usd == null ? "" : clock(notice.at_ns) });
}

// A notice says on what it was, a stored trade with which money.
const moneyOf = (one) => one.money ?? (String(one.basis).endsWith(" live") ? "live" : "paper");

const tradeRow = (one, isFresh) => {
  const made = row(one.pair, `${one.buy_venue} → ${one.sell_venue} · ${Number(one.size_base) ? size(one.size_base) : "nothing was filled"}`, signed(one.profit_usd),
    { kind: mood(one.profit_usd), endSub: `${moneyOf(one)} · ${clock(one.closed_at_ns ?? one.at_ns)}`,
      click: () => run(`/why ${one.opportunity_id}`) });
  made.dataset.trade = one.execution_id;
  if (isFresh) made.classList.add("fresh");
  return made;
};

// ---- overview ----------------------------------------------------------------------------------

const overview = {
  label: "Overview",
  load: () => Promise.all([ask("status"), ask("pnl", { days: 7 })]),
  draw(root, [status, pnl]) {
    const live = status.venues.reduce((sum, one) => sum + one.books_live, 0);
    const all = status.venues.reduce((sum, one) => sum + one.books, 0);
    root.append(tiles(
      ["On paper, this run", signed(status.profit_usd_paper), mood(status.profit_usd_paper)],
      status.traded_live ? ["Live, this run", signed(status.profit_usd_live), mood(status.profit_usd_live)] : ["Traded", count(status.traded)],
      ["Found", count(status.found)], ["Planned", count(status.planned)],
      ["Books live", `${live} of ${all}`, live < all ? "warn" : ""],
      ["Frame to decision, p99", `${count(status.latency_us.p99)} µs`],
    ));
    const chart = make("div", { class: "chart", id: "pnl-chart" });
    root.append(card("Profit on paper, 7 days", make("div", { class: "hint" }, `${signed(pnl.realised_usd)} of ${count(pnl.executions)} trades, ${count(pnl.wins)} gained`), chart));
    lines(chart, pnl.points, [{ label: "USD", tone: "--accent", fill: true }]);
    if (pnl.live.executions) root.append(card("Live, 7 days", row("Realised", `${count(pnl.live.executions)} trades`, signed(pnl.live.realised_usd), { kind: mood(pnl.live.realised_usd) })));
    root.append(card("News", ...(news.length ? news.map(newsRow) : [nothing("Nothing since this page was opened.")])));
    if (may("operator")) {
      root.append(buttons(
        status.is_paused ? button("Resume", () => run("/resume")) : button("Pause", () => run("/pause")),
        status.is_killed ? button("How it was killed", () => run("/status")) : button("Kill", askToKill, "alarming"),
      ));
    }
    root.append(hint(`${status.basis} · ${status.market_note} · up ${lasted(status.uptime_s)}`));
  },
};

// ---- opportunities -----------------------------------------------------------------------------

const opportunities = {
  label: "Finds",
  load: () => Promise.all([ask("opportunities", { limit: 20 }), ask("spreads")]),
  draw(root, [found, spreads]) {
    const rows = new Map();
    const columns = new Map();
    for (const one of spreads.spreads) {
      // Each gap is told in its better direction, so two venues are one column.
      const column = [one.buy_venue, one.sell_venue].sort().join("\n");
      columns.set(column, Math.max(columns.get(column) ?? -1e9, one.net_bps));
      if (!rows.has(one.pair)) rows.set(one.pair, new Map());
      rows.get(one.pair).set(column, { bps: one.net_bps, says: `buy at ${one.buy_venue}, sell at ${one.sell_venue}` });
    }
    const best = [...columns].sort((a, b) => b[1] - a[1]).map(([name]) => name);
    root.append(card("Gaps now, after costs",
      rows.size ? heatmap(make, [...rows], best, spreads.least_edge_bps) : nothing("No two books of a pair are live."),
      hint(`A plan needs ${bps(spreads.least_edge_bps)}.`)));
    root.append(card(`Opportunities (${count(found.found)} found)`, ...(found.opportunities.length
      ? found.opportunities.map((one) => row(one.pair,
        `${one.hops.length > 1 ? one.hops.map((hop) => hop.venue).join(" → ") : `${one.buy_venue} → ${one.sell_venue}`} · ${words(one.outcome)}`,
        one.profit_usd == null ? `${size(one.profit_quote)} ${one.quote}` : usd(one.profit_usd),
        { kind: one.is_open ? "good" : "", endSub: `${bps(one.net_edge_bps)} · ${one.is_open ? "open" : clock(one.seen_at_ns)}`,
          click: () => run(`/why ${one.opportunity_id}`) }))
      : [nothing("None so far.")])));
  },
};

// ---- trades ------------------------------------------------------------------------------------

const trades = {
  label: "Trades",
  load: () => ask("trades", { limit: 50 }),
  draw(root, report) {
    const known = new Set(report.trades.map((one) => one.execution_id));
    const newer = fresh.filter((one) => !known.has(one.execution_id));
    const all = [...newer, ...report.trades];
    const list = make("div", { id: "trades" }, ...all.map((one) => tradeRow(one, false)));
    root.append(card(`Trades (${count(report.total)} stored)`, all.length ? list : make("div", {}, list, nothing("None so far."))),
      hint("New trades come in at the top as they are stored. Tap one to see why."));
  },
  hear(root, name, notice) {
    if (name === "PaperTraded") root.querySelector("#trades")?.prepend(tradeRow(notice, true));
  },
};

// ---- risk --------------------------------------------------------------------------------------

function approvalCard({ approval, nonce }, atNs) {
  const { plan } = approval;
  const route = plan.opportunity.hops.map((hop) => `${hop.venue} ${hop.source} → ${hop.target}`).join("\n");
  const worth = Number(plan.profit_quote) * Number(plan.usd_per_quote);
  const left = (Number(approval.expires_at_ns) - Number(atNs)) / 1e9;
  const made = card(`${plan.opportunity.hops[0].target}-${plan.opportunity.hops[0].source} for ${usd(plan.notional_usd)}`,
    row("Expected", `at worst ${size(approval.worst_quote)} ${plan.opportunity.hops[0].source}`, signed(worth), { kind: mood(worth), endSub: bps(plan.net_edge_bps) }),
    make("pre", {}, route), hint(`${approval.why} · counts for ${lasted(left)}`));
  made.dataset.approval = nonce;
  if (plan.is_live === true) {
    made.append(hint("This is signed. The signer believes the chat alone: approve it there. You can refuse it here."));
  }
  if (may("operator")) {
    const act = (name) => go(() => command(name, { id: nonce }));
    made.append(buttons(
      plan.is_live === true ? null : button("Approve", () => act("approve"), "main"),
      plan.is_live === true ? null : button("Half", () => act("half")),
      button("Later", () => act("snooze")), button("Reject", () => act("reject"), "alarming")));
  }
  return made;
}

const noted = new Set();

const risk = {
  label: "Risk",
  async load() {
    const [approvals, ...others] = await Promise.all([ask("approvals"), ask("limits"), ask("exposure")]);
    // What was shown here may be approved here: the gateway notes that it was.
    if (approvals.waiting.some((one) => !noted.has(one.nonce)) && may("operator")) await command("approvals");
    for (const one of approvals.waiting) noted.add(one.nonce);
    return [approvals, ...others];
  },
  draw(root, [approvals, limits, exposure]) {
    root.append(...approvals.waiting.map((one) => approvalCard(one, approvals.at_ns)));
    if (!approvals.waiting.length) root.append(card("Approvals", nothing(`Nothing waits for your word (mode ${approvals.mode}).`)));
    root.append(card("Limits", ...limits.limits.map((one) => {
      const used = one.used === "" ? NaN : Number(one.used);
      // Of a least there is no share: to be above it is good.
      const share = Number.isFinite(used) && Number(one.limit) && !/least|_min$/.test(one.name) ? used / Number(one.limit) : null;
      return row(words(one.name), one.refusals ? `${count(one.refusals)} refused` : "", `${one.limit} ${one.unit}`,
        { endSub: one.used === one.limit || one.used === "-" ? "" : Number.isFinite(used) ? `${one.used} now` : one.used, share,
          click: one.term && may("operator") ? () => askFor(words(one.name), `Now ${one.limit} ${one.unit}.`, `/limit ${one.term}`, one.limit) : null });
    })));
    root.append(card("Open positions", ...(exposure.positions?.length
      ? exposure.positions.map((one) => row(one.asset, one.venue, size(one.held), { endSub: one.usd == null ? "no price" : usd(one.usd) }))
      : [nothing("None.")]), hint(`${count(exposure.plans)} plans under way, at most ${usd(exposure.plans_usd)}; today ${signed(exposure.today_usd)}.`), buttons(button("What it could cost", () => run("/exposure")), button("Mandates", () => run("/mandates")))));
    root.append(hint("Going live, unkilling on real money and permits for real orders: say it in the chat. The signer believes nobody else."));
  },
};

// ---- inventory ---------------------------------------------------------------------------------

const inventory = {
  label: "Inventory",
  load: () => ask("balance"),
  draw(root, report) {
    for (const money of ["live", "paper"]) {
      const held = report.lines.filter((one) => one.money === money);
      if (!held.length) continue;
      const total = held.reduce((sum, one) => sum + Number(one.usd ?? 0), 0);
      const assets = new Map();
      for (const one of held) assets.set(one.asset, [...(assets.get(one.asset) ?? []), one]);
      const sum = (of) => of.reduce((all, one) => all + Number(one.usd ?? 0), 0);
      root.append(tiles([money === "live" ? "Live, all" : "On paper, all", usd(total)], ["Assets", count(assets.size)]));
      for (const [asset, of] of [...assets].sort((a, b) => sum(b[1]) - sum(a[1]))) {
        root.append(card(`${asset} · ${usd(sum(of))}`, ...of.map((one) => row(one.venue,
          Number(one.reserved) ? `${size(one.reserved)} reserved` : "", size(one.held), { endSub: one.usd == null ? "no price" : usd(one.usd) }))));
      }
    }
    if (!report.lines.length) root.append(card("", nothing("Nothing is held yet.")));
    root.append(buttons(button("Shares by place", () => run("/inventory")), button("Against the ledger", () => run("/balance"))));
  },
};

// ---- system ------------------------------------------------------------------------------------

const system = {
  label: "System",
  load: () => Promise.all([ask("status"), ask("resources"), ask("work"), ask("version")]),
  draw(root, [status, resources, work, version]) {
    root.append(tiles(["Memory free", `${count(resources.free_mb)} of ${count(resources.machine_mb)} MB`],
      ["Cores", count(resources.cores)], ["Loop lag, p99", status.loop_lag_us.p99 == null ? "–" : `${count(status.loop_lag_us.p99)} µs`],
      ["Records waiting", count(status.records_waiting), status.records_waiting ? "warn" : ""]));
    root.append(card("Venues", ...status.venues.map((one) => row(one.venue, one.note || `${one.frames_per_s.toFixed(0)} frames/s`,
      `${one.books_live} of ${one.books}`, { kind: one.is_connected ? (one.books_live < one.books ? "warn" : "good") : "bad", endSub: one.age_ms == null ? "never" : `${count(one.age_ms)} ms old` }))));
    root.append(card("Roles", ...resources.roles.map((one) => row(one.role, `${one.files} files, ${one.sockets} sockets`, `${one.memory_mb.toFixed(0)} MB`, { endSub: `${one.cores.toFixed(2)} cores` }))));
    root.append(card("Background work", ...work.tasks.map((one) => row(words(one.name), one.why || one.times, words(one.state),
      { kind: one.state === "quarantined" ? "bad" : "", endSub: one.runs ? `${one.well} of ${one.runs} well` : "", click: () => run(`/task ${one.name}`) }))));
    root.append(buttons(button("Errors", () => run("/log")), button("Alerts", () => run("/alerts")), button("Audit", () => run("/audit"))),
      hint(`${version.version} · ${version.commit} · Python ${version.python} · run ${version.run_id}`));
  },
};

// ---- reports -----------------------------------------------------------------------------------

const REPORT_OF = { 1: "/report day", 7: "/report week", 30: "/report month", 90: "/performance route 90" };
let days = 7;
let money = "paper";

async function download(table) {
  const report = await ask("export", { table, days });
  const bytes = Uint8Array.from(atob(report.content), (one) => one.charCodeAt(0));
  const link = make("a", { href: URL.createObjectURL(new Blob([bytes], { type: "text/csv" })), download: report.file_name });
  link.click();
  URL.revokeObjectURL(link.href);
}

const reports = {
  label: "Reports",
  load() {
    const now = Date.now() / 1_000;
    return ask("performance", { since_ns: ns(now - days * DAY_S), until_ns: ns(now), by: "route", money });
  },
  draw(root, report, again) {
    const pick = (label, isOn, set) => make("button", { type: "button", "aria-pressed": String(isOn), on: { click: () => { set(); again(); } } }, label);
    root.append(picks(...[1, 7, 30, 90].map((one) => pick(one === 1 ? "1 day" : `${one} days`, days === one, () => { days = one; }))),
      picks(...["paper", "live"].map((one) => pick(one, money === one, () => { money = one; }))));
    const { all } = report;
    root.append(tiles(["Realised", signed(all.realised), mood(all.realised)], ["Expected", signed(all.expected)],
      ["Trades", `${count(all.trades)}, ${count(all.wins)} gained`], ["Largest fall", usd(report.drawdown), Number(report.drawdown) ? "warn" : ""],
      ["Fees", usd(all.fee)], ["Gas", usd(all.gas)], ["Transfers", usd(all.transfer)], ["Slippage", usd(all.slippage)]));
    const chart = make("div", { class: "chart", id: "equity-chart" });
    root.append(card("Profit, and fall from its peak", chart));
    lines(chart, report.points.map(([at, sum, fall]) => [at, sum, -Number(fall)]),
      [{ label: "Profit", tone: "--accent" }, { label: "Fall", tone: "--bad", fill: true }]);
    root.append(card("By route", ...(report.groups.length
      ? report.groups.slice(0, 20).map(([name, of]) => row(name, `${count(of.trades)} trades`, signed(of.realised), { kind: mood(of.realised) }))
      : [nothing("No trade in this time.")])));
    root.append(card("Missed", ...(report.missed.length
      ? report.missed.map((one) => row(words(one.reason), `${count(one.count)} times`, usd(one.usd)))
      : [nothing("Nothing that lasted.")])));
    root.append(buttons(isInTelegram ? null : button("Trades as CSV", () => go(() => download("trades"))), button("As in the chat", () => run(REPORT_OF[days])), button("Pairs", () => run(`/performance pair ${days}`))),
      isInTelegram && hint("Files come into the chat: /export."));
  },
};

// ---- settings ----------------------------------------------------------------------------------

export const look = {
  get: () => localStorage.getItem("syndicate.look") ?? "auto",
  set(value) {
    localStorage.setItem("syndicate.look", value);
    look.apply();
  },
  apply() {
    if (look.get() === "auto") delete document.documentElement.dataset.look;
    else document.documentElement.dataset.look = look.get();
  },
};

const settings = {
  label: "Settings",
  isStill: true,
  load: () => command("config"),
  draw(root, config, again) {
    const input = make("input", { id: "line", autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder: "/status" });
    const choose = (name) => make("button", { type: "button", "aria-pressed": String(look.get() === name), on: { click: () => { look.set(name); again(); } } }, name);
    root.append(
      card("You", row(who.name, "as the records show it", who.rank), buttons(button("Leave", async () => { await leave(); location.reload(); }))),
      card("Look", picks(choose("auto"), choose("light"), choose("dark"))),
      card("A line, as in the chat", make("form", { on: { submit: (event) => { event.preventDefault(); run(input.value.trim()); } } },
        make("label", { for: "line" }, "All that the chat can; /help lists it."), input, make("button", { class: "main" }, "Send"))),
      card("Mode and limits", buttons(button("Mode", () => run("/mode")), button("Limits", () => run("/limits")), button("Fees", () => run("/fees")), button("Venues", () => run("/venue")), button("Pairs", () => run("/pair")))),
      card("In force", make("pre", {}, config.text), hint("Settings of the installation are in .env; what may change while it runs is changed by commands.")),
    );
  },
};

export const SCREENS = { overview, opportunities, trades, risk, inventory, system, reports, settings };
