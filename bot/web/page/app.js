// The frame: who comes in, which screen is shown, what is looked at again, and Telegram's colours.

import { ask, closeStream, enterFromTelegram, enterWithKey, goOn, hears, openStream } from "./api.js";
import { sweep } from "./charts.js";
import { button, card, hint, isInTelegram, make, opened } from "./parts.js";
import { hear, look, SCREENS } from "./screens.js";
import { onChange } from "./sheet.js";

const LOOK_MS = 5_000;
const TELEGRAM_SCRIPT = "https://telegram.org/js/telegram-web-app.js";
const COLOURS = {
  bg_color: "--card", secondary_bg_color: "--bg", text_color: "--text", hint_color: "--hint",
  button_color: "--accent", button_text_color: "--on-accent", destructive_text_color: "--bad", section_separator_color: "--line",
};

const screen = document.getElementById("screen");
const title = document.getElementById("title");
const tabs = document.getElementById("tabs");
const state = document.getElementById("state");
const live = document.getElementById("live");

let shown = "";
let turn = 0;
let waiting = null;

// ---- Telegram ----------------------------------------------------------------------------------

function paint(colours) {
  for (const [name, variable] of Object.entries(COLOURS)) {
    const value = colours[name];
    if (/^#[0-9a-f]{6}$/i.test(value ?? "")) document.documentElement.style.setProperty(variable, value);
  }
  const bg = colours.bg_color;
  if (/^#[0-9a-f]{6}$/i.test(bg ?? "") && look.get() === "auto") {
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(bg.slice(at, at + 2), 16));
    // What Telegram gives no colour for goes with the ground that it gives.
    document.documentElement.dataset.look = 0.3 * red + 0.6 * green + 0.1 * blue < 128 ? "dark" : "light";
  }
}

function dress() {
  look.apply();
  if (!isInTelegram) return;
  try { paint(JSON.parse(opened.get("tgWebAppThemeParams") ?? "{}")); } catch { /* ours will do */ }
  const script = make("script", { src: TELEGRAM_SCRIPT, async: true });
  script.addEventListener("load", () => {
    const app = window.Telegram?.WebApp;
    app?.ready();
    app?.expand();
    // A finger that scrolls a table must not close the page.
    if (app?.isVersionAtLeast?.("7.7")) app.disableVerticalSwipes();
    app?.onEvent("themeChanged", () => paint(app.themeParams));
    app?.onEvent("activated", () => openStream());
    app?.onEvent("deactivated", () => closeStream());
    app?.BackButton?.onClick(() => show("overview"));
  });
  // Without it the page does all but follow a change of colours.
  document.head.append(script);
}

// ---- screens -----------------------------------------------------------------------------------

async function lookAgain(mine) {
  const { load, draw } = SCREENS[shown];
  clearTimeout(waiting);
  try {
    const came = await load();
    if (mine !== turn) return;
    const made = make("div");
    const top = scrollY;
    // A chart needs to know how wide it is, so it is drawn where it will stand; and what somebody
    // reads stays where it is.
    screen.replaceChildren(made);
    draw(made, came, () => show(shown));
    scrollTo(0, top);
    sweep();
    if (shown === "overview") sayState(came[0]);
  } catch (problem) {
    if (mine !== turn || !problem.status) console.warn(problem.message);
    if (mine === turn) screen.prepend(once(problem));
  }
  if (mine === turn && !SCREENS[shown].isStill) waiting = setTimeout(() => pass(mine), LOOK_MS);
}

function once(problem) {
  screen.querySelector("#trouble")?.remove();
  return make("p", { id: "trouble", class: "card bad", role: "alert" }, problem.message);
}

function pass(mine) {
  // Nobody reads a hidden page, and what somebody types or reads in a sheet stays.
  if (document.hidden || document.getElementById("sheet").open) waiting = setTimeout(() => pass(mine), LOOK_MS);
  else if (mine === turn) lookAgain(mine);
}

function sayState(status) {
  const [text, kind] = status.is_killed ? ["killed", "bad"] : status.is_paused ? [`${status.mode}, paused`, "warn"] : [status.mode, "good"];
  state.textContent = text;
  state.className = `chip ${kind}`;
}

function show(name) {
  if (name !== shown) {
    screen.replaceChildren(hint("…"));
    scrollTo(0, 0);
  }
  shown = name;
  title.textContent = SCREENS[name].label;
  for (const one of tabs.children) {
    if (one.dataset.screen === name) one.setAttribute("aria-current", "page");
    else one.removeAttribute("aria-current");
  }
  const back = window.Telegram?.WebApp?.BackButton;
  if (name === "overview") back?.hide();
  else back?.show();
  return lookAgain(++turn);
}

// ---- coming in ---------------------------------------------------------------------------------

function showDoor(problem) {
  turn += 1;
  shown = "";
  clearTimeout(waiting);
  tabs.hidden = true;
  title.textContent = "Syndicate";
  state.textContent = "";
  const input = make("input", { id: "key", type: "password", autocomplete: "current-password", required: true, placeholder: "syn_…" });
  const form = make("form", { on: { submit: async (event) => {
    event.preventDefault();
    try { await enterWithKey(input.value.trim()); begin(); } catch (wrong) { showDoor(wrong); }
  } } }, make("label", { for: "key" }, "Key (make api-key NAME=browser RANK=operator prints one)"), input, make("button", { class: "main" }, "Come in"));
  screen.replaceChildren(
    problem ? make("p", { class: "card bad", role: "alert", id: "refused" }, problem.message) : "",
    card("Who are you?", form),
    hint(isInTelegram ? "Or close the page, and open it again by the button beside the chat." : "In Telegram, the button beside the chat with your bot opens this page and lets you in."),
  );
}

function begin() {
  tabs.hidden = false;
  tabs.replaceChildren(...Object.entries(SCREENS).map(([name, { label }]) => {
    const made = button(label, () => show(name));
    made.dataset.screen = name;
    return made;
  }));
  openStream();
  return show("overview");
}

async function comeIn() {
  try {
    if (await goOn()) return begin();
    if (!isInTelegram) return showDoor();
    await enterFromTelegram(opened.get("tgWebAppData"));
    return begin();
  } catch (problem) {
    return showDoor(problem);
  }
}

hears.lost = () => showDoor(new Error("The session is over."));
hears.state = (isOn) => {
  live.textContent = isOn ? "connected" : "not connected";
  live.className = `chip ${isOn ? "good" : "off"}`;
};
hears.notice = (name, notice) => {
  hear(name, notice);
  SCREENS[shown]?.hear?.(screen, name, notice);
  if (["Killed", "Unkilled", "ModeChanged"].includes(name)) ask("status").then(sayState, () => {});
  const isTold = ["ApprovalAsked", "ApprovalEnded", "Killed", "Unkilled", "ModeChanged"].includes(name);
  if (isTold && (shown === "risk" || shown === "overview") && !document.getElementById("sheet").open) lookAgain(++turn);
};
onChange(() => { if (shown) lookAgain(++turn); });

document.addEventListener("visibilitychange", () => { if (!document.hidden && shown) lookAgain(++turn); });

dress();
comeIn();
