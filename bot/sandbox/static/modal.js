// The app's modals: one dialog shows the top of the stack. The browser keeps the focus inside.

import { blocks } from "./blocks.js";
import { act, look } from "./control.js";
import { h, keepFocus } from "./dom.js";
import { icon } from "./icons.js";
import { clearError, focusable, showError } from "./inputs.js";
import { viewPlace } from "./place.js";
import { on } from "./stream.js";
import { text } from "./texts.js";

const dialog = h("dialog", { class: "modal", "aria-labelledby": "modal-title" });
document.body.append(dialog);
let top = null; // the view that is drawn
let came = null; // what had the focus before

export async function drawModals() {
  const { views } = await look("views");
  const view = views.at(-1);
  if (!view) return close();
  if (view.id === top?.id && view.hash === top.hash) return undefined;
  const updated = view.id === top?.id;
  const position = dialog.querySelector(".modal-body")?.scrollTop ?? 0;
  top = view;
  keepFocus(dialog, () => draw(view));
  if (!dialog.open) {
    came = document.activeElement;
    dialog.showModal();
  }
  if (updated) dialog.querySelector(".modal-body").scrollTop = position;
  else first();
  return undefined;
}

function close() {
  top = null;
  if (!dialog.open) return;
  dialog.close();
  dialog.replaceChildren();
  if (came?.isConnected) came.focus();
}

function draw(view) {
  const place = viewPlace(view);
  const form = h(
    "form",
    { class: "modal-form", novalidate: true },
    h(
      "header",
      {},
      view.depth > 1 && h("button", { type: "button", class: "icon-button", "aria-label": "Back", onclick: back }, icon("back")),
      h("h2", { id: "modal-title" }, text(view.title)),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: all }, icon("close")),
    ),
    h("div", { class: "modal-body blocks" }, blocks(place, view.blocks)),
    h("p", { class: "modal-problem", role: "alert", hidden: true }),
    h(
      "footer",
      {},
      h("button", { type: "button", class: "button", onclick: back }, view.close ? text(view.close) : "Close"),
      view.submit && h("button", { type: "submit", class: "button primary", disabled: view.submit_disabled }, text(view.submit)),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(view, place, form);
  });
  dialog.replaceChildren(form);
}

function first() {
  const body = dialog.querySelector(".modal-body");
  const wanted = body.querySelector("[data-first]") ?? body.querySelector(".input");
  const control = wanted ? focusable(wanted) : dialog.querySelector("footer .button:last-child");
  control?.focus();
  body.scrollTop = 0;
}

async function submit(view, place, form) {
  const values = {};
  for (const block of view.blocks) {
    const entered = block.type === "input" ? place.entered(block, block.element) : undefined;
    if (entered !== undefined) values[block.block_id] = sent(entered);
  }
  const button = form.querySelector("[type=submit]");
  button.classList.add("busy");
  button.setAttribute("aria-busy", "true");
  problem(form, null);
  for (const box of form.querySelectorAll(".input")) clearError(box);
  try {
    const outcome = await act("submit", { values });
    errors(form, outcome);
  } catch (error) {
    problem(form, error.message);
  }
  button.classList.remove("busy");
  button.removeAttribute("aria-busy");
  await drawModals();
}

// Options are sent by their values, as they were chosen.
function sent(value) {
  if (Array.isArray(value)) return value.map(sent);
  return value?.value !== undefined && value?.text !== undefined ? value.value : value;
}

function errors(form, outcome) {
  const boxes = Object.entries(outcome.errors ?? {}).map(([block, sentence]) => [at(form, block), sentence]);
  for (const [box, sentence] of boxes) if (box) showError(box, sentence);
  const wrong = boxes.find(([box]) => box)?.[0];
  if (wrong) {
    focusable(wrong)?.focus();
    wrong.scrollIntoView({ block: "nearest" });
  } else if (!outcome.ok) problem(form, outcome.error);
}

function at(form, block) {
  return [...form.querySelectorAll(".input")].find(({ dataset }) => dataset.block === block);
}

function problem(form, sentence) {
  const box = form.querySelector(".modal-problem");
  box.replaceChildren(...(sentence ? [icon("alert"), sentence] : []));
  box.hidden = !sentence;
}

async function back() {
  await act("close").catch(() => {});
  await drawModals();
}

async function all() {
  await act("close", { everything: true }).catch(() => {});
  await drawModals();
}

dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  back();
});
on(["view", "ready"], () => drawModals().catch(() => {}));
