// What a person has clicked and the app has not yet acknowledged, and what failed, by control.
//
// Messages are drawn anew while a click is on its way, so the state lives here and every drawing asks for it.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const states = new Map(); // key of a control -> "waiting" or the sentence of a failure

// Wraps a control so that its state shows on it.
export function controlled(key, control) {
  const box = h("span", { class: "control", dataset: { control: key } }, control);
  show(box);
  return box;
}

// Runs an interaction for a control; returns the outcome, or null where it could not even be tried.
export async function interact(key, promise) {
  set(key, "waiting");
  try {
    const outcome = await promise;
    set(key, outcome.ok ? null : outcome.error ?? "The app answered with an error.");
    return outcome;
  } catch (error) {
    set(key, error.message);
    return null;
  }
}

function set(key, state) {
  if (state === null) states.delete(key);
  else states.set(key, state);
  for (const box of document.querySelectorAll("[data-control]")) if (box.dataset.control === key) show(box);
}

function show(box) {
  const state = states.get(box.dataset.control);
  const failed = state !== undefined && state !== "waiting";
  box.classList.toggle("waiting", state === "waiting");
  box.classList.toggle("has-failed", failed);
  if (state === "waiting") box.firstElementChild.setAttribute("aria-busy", "true");
  else box.firstElementChild.removeAttribute("aria-busy");
  box.querySelector(":scope > .failure")?.remove();
  if (failed) box.append(h("span", { class: "failure", role: "alert" }, icon("alert"), state));
}
