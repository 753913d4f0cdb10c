// The input block: a label, a field, a hint, and the sentence of an error at its place.

import { h, newId } from "./dom.js";
import { field } from "./fields.js";
import { icon } from "./icons.js";
import { controlled } from "./pending.js";
import { text, words } from "./texts.js";

const GROUPS = ["radio_buttons", "checkboxes"]; // named by aria-label: a <label> names one control only

export function input(place, block) {
  const element = block.element ?? {};
  const id = newId("field");
  const hint = block.hint && h("p", { class: "hint", id: `${id}-hint` }, text(block.hint));
  const error = h("p", { class: "error", id: `${id}-error`, hidden: true });
  const options = {
    id,
    label: words(block.label),
    describedBy: `${id}-error ${hint ? `${id}-hint` : ""}`.trim(),
    required: !block.optional,
    clearable: block.optional,
    ...(block.dispatch_action ? dispatching(place, block, element) : {}),
    changed: (value) => {
      clearError(box);
      if (block.dispatch_action) place.choose(block, element, value);
    },
  };
  const control = controlled(place.keyOf(block, element), field(place, block, element, options));
  const tag = GROUPS.includes(element.type) ? "p" : "label";
  const named = control.querySelector(".select input");
  if (named) named.setAttribute("aria-describedby", options.describedBy);
  const optional = block.optional && h("span", { class: "optional" }, " (optional)");
  const label = h(tag, { class: "label", for: tag === "label" ? id : null }, text(block.label), optional);
  if (named) {
    named.id = id;
    named.removeAttribute("aria-label");
  }
  const box = h("div", { class: "input", dataset: { block: block.block_id } }, label, control, error, hint);
  box.addEventListener("input", () => clearError(box));
  if (element.focus_on_load) box.dataset.first = "";
  return box;
}

// docs.slack.dev dispatch_action_config: at Enter unless it says "on_character_entered".
function dispatching(place, block, element) {
  const when = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  let timer = null;
  const send = (value) => place.choose(block, element, value);
  return {
    entered: when.includes("on_enter_pressed") ? send : undefined,
    typed: when.includes("on_character_entered")
      ? (value) => {
          clearTimeout(timer);
          timer = setTimeout(() => send(value), 300);
        }
      : undefined,
  };
}

export function showError(box, sentence) {
  const error = box.querySelector(":scope > .error");
  error.replaceChildren(icon("alert"), sentence);
  error.hidden = false;
  box.classList.add("wrong");
  focusable(box)?.setAttribute("aria-invalid", "true");
}

export function clearError(box) {
  box.querySelector(":scope > .error").hidden = true;
  box.classList.remove("wrong");
  focusable(box)?.removeAttribute("aria-invalid");
}

export function focusable(box) {
  return box.querySelector("input, textarea, select, .choices");
}
