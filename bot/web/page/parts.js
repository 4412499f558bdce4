// What screens are made of. Text goes in as text, whatever it says: names of tokens are written by
// strangers.

const MONEY = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const COUNT = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const NS = 1e6;

// Inside Telegram the address says who opened the page.
export const opened = new URLSearchParams(location.hash.slice(1));
export const isInTelegram = opened.has("tgWebAppData");

export function make(tag, given = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "on") for (const [event, hear] of Object.entries(value)) element.addEventListener(event, hear);
    else if (name === "class") element.className = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

export const card = (title, ...children) => make("section", { class: "card" }, title && make("h2", {}, title), ...children);
export const hint = (text) => make("p", { class: "hint" }, text);
export const button = (label, click, kind = "") => make("button", { type: "button", class: kind, on: { click } }, label);
export const buttons = (...children) => make("div", { class: "buttons" }, ...children);

export const picks = (...children) => make("div", { class: "buttons picks" }, ...children);

export function tiles(...pairs) {
  return make("div", { class: "tiles" }, ...pairs.filter(Boolean).map(([name, value, kind]) =>
    make("div", { class: "tile" }, make("span", {}, name), make("b", { class: kind || "" }, String(value)))));
}

// Addresses as names of tokens have them: their ends tell them apart.
const short = (text) => String(text ?? "").replace(/0x([0-9a-fA-F]{4})[0-9a-fA-F]{32}([0-9a-fA-F]{4})/g, "0x$1…$2");

export function row(title, sub, end, { kind = "", endSub = "", click = null, share = null } = {}) {
  const left = make("div", {}, make("div", {}, short(title)), make("div", { class: "sub" }, short(sub)));
  const right = make("div", { class: `end ${kind}` }, make("div", {}, String(end ?? "")), make("div", { class: "sub" }, String(endSub)));
  const made = make(click ? "button" : "div", { class: "row", type: click ? "button" : null, on: click ? { click } : {} }, left, right);
  if (share != null && Number.isFinite(share)) {
    const filled = make("i", { class: share >= 1 ? "bad" : share >= 0.8 ? "warn" : "" });
    filled.style.width = `${Math.min(100, Math.max(0, share * 100))}%`;
    made.append(make("div", { class: "bar" }, filled));
  }
  return made;
}

export const usd = (value) => {
  if (value == null || !Number.isFinite(Number(value))) return "–";
  const sign = Number(value) < 0 ? "−" : "";
  const amount = Math.abs(Number(value));
  return `${sign}$${amount && amount < 0.005 ? amount.toPrecision(1) : MONEY.format(amount)}`;
};
export const signed = (value) => (Number(value) > 0 ? "+" : "") + usd(value);
export const mood = (value) => (Number(value) > 0 ? "good" : Number(value) < 0 ? "bad" : "");
export const count = (value) => COUNT.format(Number(value || 0));
export const bps = (value) => (value == null ? "–" : `${Number(value) < 0 ? "−" : ""}${Math.abs(Number(value)).toFixed(1)} bps`);
export const size = (value) => String(Number(Number(value).toPrecision(6)));
export const clock = (ns) => new Date(Number(ns) / NS).toLocaleTimeString([], { hour12: false });
export const day = (ns) => new Date(Number(ns) / NS).toLocaleString([], { hour12: false, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
export function lasted(seconds) {
  const s = Math.max(0, Math.floor(Number(seconds)));
  if (s < 60) return `${s} s`;
  if (s < 3_600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3_600)} h ${Math.floor((s % 3_600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3_600)} h`;
}
// "PaperTraded" is read as "paper traded".
export const words = (name) => name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase().replaceAll("_", " ");
