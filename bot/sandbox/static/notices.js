// Sentences at the foot of the window that go by themselves, and words for screen readers alone.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const STAY_MS = 8000;
const box = document.getElementById("notices");
const announcer = document.getElementById("announcer");

export function notice(sentence, kind = "info") {
  const close = h("button", { type: "button", class: "icon-button", "aria-label": "Dismiss", onclick: () => made.remove() }, icon("close"));
  const made = h("div", { class: `notice ${kind === "error" ? "bad" : ""}`, role: kind === "error" ? "alert" : null }, icon(kind === "error" ? "alert" : "info"), h("p", {}, sentence), close);
  box.append(made);
  setTimeout(() => made.remove(), STAY_MS);
}

export function announce(words) {
  announcer.append(h("p", {}, words));
  while (announcer.childElementCount > 5) announcer.firstChild.remove();
}

// Runs what a person asked for; a refusal becomes a notice. Returns the answer, or null after a refusal.
export async function trying(promise) {
  try {
    const outcome = await promise;
    if (outcome?.ok === false && outcome.error) notice(outcome.error, "error");
    return outcome;
  } catch (error) {
    notice(error.message, "error");
    return null;
  }
}
