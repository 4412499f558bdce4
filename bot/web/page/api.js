// Who asks, and how: a session in memory, prolonged by a token that is good once, and the live
// stream by tickets. Nothing here is a cookie, so that no other page can act in somebody's name.

const REFRESH = "syndicate.refresh";
const RETRY_MS_MAX = 30_000;

let access = "";
let refreshing = null;
let last = "";
let source = null;
let opening = 0;
let retry = null;
let retryMs = 1_000;

export const who = { name: "", rank: "" };
export const hears = { lost: () => {}, state: () => {}, notice: () => {} };

export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function send(method, path, { body, token, key } = {}) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "omit", cache: "no-store", redirect: "error",
    });
  } catch {
    throw new Problem(0, "the gateway does not answer");
  }
  const text = await answer.text();
  let said = null;
  try { said = text ? JSON.parse(text) : null; } catch { /* what stands between may answer otherwise */ }
  if (!answer.ok) throw new Problem(answer.status, said?.detail || said?.title || `status ${answer.status}`);
  return said;
}

function begin(tokens) {
  access = tokens.access_token;
  who.name = tokens.name;
  who.rank = tokens.rank;
  // A reload of the page goes on with it; it is gone with the window.
  sessionStorage.setItem(REFRESH, tokens.refresh_token);
}

export async function enterWithKey(key) {
  begin(await send("POST", "v1/session", { token: key }));
}

export async function enterFromTelegram(initData) {
  begin(await send("POST", "v1/session/telegram", { body: { init_data: initData } }));
}

export async function goOn() {
  const token = sessionStorage.getItem(REFRESH);
  if (!token) return false;
  refreshing ??= (async () => {
    try {
      begin(await send("POST", "v1/session/refresh", { body: { refresh_token: token } }));
      return true;
    } catch (problem) {
      if (problem.status !== 401) throw problem;
      forget();
      return false;
    } finally {
      refreshing = null;
    }
  })();
  return refreshing;
}

export function forget() {
  access = "";
  last = "";
  sessionStorage.removeItem(REFRESH);
  closeStream();
}

export async function leave() {
  try { await send("DELETE", "v1/session", { token: access }); } finally { forget(); }
}

async function request(method, path, options = {}) {
  try {
    return await send(method, path, { ...options, token: access });
  } catch (problem) {
    if (problem.status !== 401) throw problem;
    if (await goOn()) return send(method, path, { ...options, token: access });
    hears.lost();
    throw problem;
  }
}

export const ask = (path, query = {}) => {
  const words = new URLSearchParams(query).toString();
  return request("GET", `v1/${path}${words ? `?${words}` : ""}`);
};
// Sent twice by a nervous thumb or a bad line it is carried out once.
export const say = (line) => request("POST", "v1/lines", { body: { line }, key: crypto.randomUUID() });
export const command = (name, body = {}) =>
  request("POST", `v1/commands/${name}`, { body, key: crypto.randomUUID() });
export const settle = (nonce, isYes) =>
  request("POST", `v1/confirmations/${encodeURIComponent(nonce)}`, { body: { is_yes: isYes } });
export const kill = () => request("POST", "kill", { body: { why: "asked on the page" } });

// What the page shows of the live stream; a test holds these names to the notices that there are.
export const NOTICES = [
  "PaperTraded", "ApprovalAsked", "ApprovalEnded", "OpportunitySeen", "Killed", "Unkilled",
  "ModeChanged", "LimitHit", "LimitChanged", "VenueLost", "VenueBack", "VenuesLost", "VenuesBack",
  "RoleAway", "RoleBack", "RoleRestarted", "PlaceSwitched", "LateFill", "LeftoverClosed",
  "BalanceLow", "BalanceBack", "SendingTrouble", "VenueTrouble", "WorkTrouble", "Started",
];

export async function openStream() {
  closeStream();
  const mine = ++opening;
  let opened;
  try {
    const { ticket } = await request("POST", "v1/stream/ticket");
    // Phones tell twice that a page is seen again: of two that were begun, the newer one is had.
    if (mine !== opening) return;
    const after = last ? `&after=${encodeURIComponent(last)}` : "";
    opened = new EventSource(`v1/stream?ticket=${encodeURIComponent(ticket)}${after}`);
  } catch {
    if (mine === opening) later();
    return;
  }
  source = opened;
  opened.addEventListener("begun", (event) => {
    last = event.lastEventId;
    retryMs = 1_000;
    hears.state(true);
  });
  for (const name of NOTICES) {
    opened.addEventListener(name, (event) => {
      last = event.lastEventId;
      hears.notice(name, JSON.parse(event.data));
    });
  }
  // A ticket is good once: what would try again by itself is closed, and asks for another.
  opened.onerror = () => {
    if (source === opened) later();
  };
}

function later() {
  closeStream();
  if (document.hidden || !access) return;
  retry = setTimeout(openStream, retryMs);
  retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
}

export function closeStream() {
  opening += 1;
  clearTimeout(retry);
  source?.close();
  source = null;
  hears.state(false);
}

// Phones drop what a hidden page holds open, and tell nobody.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) closeStream();
  else if (access) openStream();
});
