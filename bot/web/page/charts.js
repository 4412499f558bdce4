// Charts, in the colours of the page; uPlot draws them.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const drawn = new Set();
const DAY_S = 86_400;
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

// points: [time in ns, one value a series...], oldest first.
export function lines(holder, points, series) {
  if (points.length < 2) {
    holder.textContent = "Too few points for a chart yet.";
    holder.className = "hint";
    return;
  }
  const axis = { stroke: colour("--hint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, size: 46, font: "11px system-ui" };
  const chart = new uPlot({
    width: holder.clientWidth || 320,
    height: 180,
    legend: { show: series.length > 1 },
    cursor: { drag: { x: false, y: false } },
    axes: [{ ...axis, size: 40, values: (_, splits, _axis, _space, step) => splits.map((at) => (step < DAY_S ? TIME : DAY).format(at * 1_000)) }, axis],
    series: [{}, ...series.map(({ label, tone, fill }) => ({
      label, stroke: colour(tone), width: 2, fill: fill ? `${colour(tone)}22` : undefined, points: { show: false },
    }))],
  }, [points.map((one) => Number(one[0]) / 1e9), ...series.map((_, at) => points.map((one) => Number(one[at + 1])))], holder);
  drawn.add([chart, holder]);
}

addEventListener("resize", () => {
  for (const one of drawn) {
    const [chart, holder] = one;
    if (holder.isConnected) chart.setSize({ width: holder.clientWidth, height: 180 });
    else { chart.destroy(); drawn.delete(one); }
  }
});

// What is drawn anew every few seconds must not pile up.
export function sweep() {
  for (const one of drawn) if (!one[1].isConnected) { one[0].destroy(); drawn.delete(one); }
}

// rows: [name, Map of column -> {bps, says}]; a column is two names with a line feed between. What
// reaches the least edge stands out.
export function heatmap(make, rows, columns, least) {
  const cell = (value) => {
    if (value == null) return make("td", {}, "·");
    const { bps, says } = value;
    const step = bps >= least ? "h3" : bps >= 0 ? "h2" : bps >= -25 ? "h1" : "h0";
    return make("td", { class: step, title: says }, bps.toFixed(0));
  };
  return make("div", { class: "scroll" }, make("table", { class: "heat" },
    make("thead", {}, make("tr", {}, make("th", {}, "bps"), ...columns.map((one) => make("th", { scope: "col" }, ...one.split("\n").map((name) => make("div", {}, name)))))),
    make("tbody", {}, ...rows.map(([name, at]) => make("tr", {}, make("th", { scope: "row" }, name), ...columns.map((one) => cell(at.get(one))))))));
}
