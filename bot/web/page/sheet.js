// The sheet from below: what a command answered, its second step, and where it leads on.

import { kill, say, settle } from "./api.js";
import { button, hint, make } from "./parts.js";

const dialog = document.getElementById("sheet");
const title = document.getElementById("sheet-title");
const text = document.getElementById("sheet-text");
const below = document.getElementById("sheet-buttons");
let changed = () => {};

export const onChange = (hear) => { changed = hear; };

function open(named, said, ...actions) {
  title.textContent = named;
  text.textContent = said;
  below.replaceChildren(...actions, button("Close", () => dialog.close()));
  if (!dialog.open) dialog.showModal();
}

export function show(answer) {
  const actions = [];
  if (answer.confirmation) {
    const { nonce, action } = answer.confirmation;
    actions.push(button(action, () => go(() => settle(nonce, true)), "main"));
    actions.push(button("Leave it", () => go(() => settle(nonce, false))));
  }
  for (const { label, line } of answer.buttons) actions.push(button(label, () => run(line)));
  open(answer.title, answer.text, ...actions);
}

export function trouble(problem) {
  open("That did not work", problem.message || String(problem));
}

// One at a time: a second tap while the first is under way does nothing.
let isBusy = false;
export async function go(act) {
  if (isBusy) return;
  isBusy = true;
  for (const one of below.querySelectorAll("button")) one.disabled = true;
  try {
    const answer = await act();
    if (answer?.text) show(answer);
    else dialog.close();
    changed();
  } catch (problem) {
    trouble(problem);
  } finally {
    isBusy = false;
  }
}

export const run = (line) => go(() => say(line));

export function askToKill() {
  const killed = async () => {
    try {
      const report = await kill();
      open("Killed", Object.entries(report).filter(([, one]) => one?.text).map(([name, one]) => `${name}: ${one.text}`).join("\n"));
    } catch (problem) {
      trouble(problem);
    }
    changed();
  };
  open("Kill", "No plan is made any more, until a person allows plans again. It takes hold at once.",
    button("KILL", killed, "alarming"));
}

// A small form in the sheet: what is typed becomes the end of a line of the chat.
export function askFor(named, said, line, value = "") {
  const input = make("input", { id: "sheet-input", value, autocomplete: "off", inputmode: "decimal", "aria-label": named });
  const form = make("form", { on: { submit: (event) => { event.preventDefault(); run(`${line} ${input.value.trim()}`); } } },
    input, make("button", { class: "main" }, "Set"));
  open(named, said, form, hint("What loosens is asked once more."));
}
