// The interactive elements of Block Kit outside of forms: each tells the app at once.

import { agreed } from "./confirm.js";
import { h, safeUrl } from "./dom.js";
import { icon } from "./icons.js";
import { unknown } from "./json.js";
import { openMenu } from "./menu.js";
import { controlled } from "./pending.js";
import { picture } from "./pictures.js";
import { select } from "./selects.js";
import { field } from "./fields.js";
import { text, words } from "./texts.js";
import { isMe } from "./workspace.js";

export function element(place, block, given) {
  if (given.type === "image") return picture(given, "accessory");
  if (given.visible_to_user_ids && !given.visible_to_user_ids.some(isMe)) return null;
  const draw = DRAWN[given.type] ?? (given.type?.endsWith("_select") ? selecting : null);
  return draw ? controlled(place.keyOf(block, given), draw(place, block, given)) : unknown(given);
}

const DRAWN = {
  button,
  workflow_button: button,
  overflow,
  icon_button: iconButton,
  feedback_buttons: feedback,
  radio_buttons: choosing,
  checkboxes: choosing,
  datepicker: choosing,
  timepicker: choosing,
  datetimepicker: choosing,
  rich_text_input: choosing,
};

function button(place, block, given) {
  const label = given.accessibility_label ?? null;
  const properties = {
    class: `button ${given.style ?? ""}`,
    "aria-label": label,
    title: label,
    dataset: { focus: place.keyOf(block, given), action: given.action_id },
  };
  const url = given.url && safeUrl(given.url);
  const press = () => place.click(block, given);
  if (url) {
    return h("a", { ...properties, href: url, target: "_blank", rel: "noopener noreferrer", onclick: press }, text(given.text), icon("window"));
  }
  const run = async () => {
    if (await agreed(given)) await press();
  };
  return h("button", { ...properties, type: "button", onclick: run }, text(given.text));
}

function overflow(place, block, given) {
  const pick = async (option) => {
    if (await agreed(given)) await place.click(block, given, words(option.text));
  };
  const items = given.options.map((option) => ({
    label: text(option.text),
    note: option.description && words(option.description),
    href: option.url && safeUrl(option.url),
    run: () => pick(option),
  }));
  const open = (event) => openMenu(event.currentTarget, items, "More actions");
  const properties = { "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": "More actions", dataset: { focus: place.keyOf(block, given) } };
  return h("button", { type: "button", class: "button square", ...properties, onclick: open }, icon("more"));
}

function iconButton(place, block, given) {
  const run = async () => {
    if (await agreed(given)) await place.click(block, given);
  };
  const label = given.accessibility_label ?? words(given.text);
  return h("button", { type: "button", class: "button square", "aria-label": label, title: words(given.text), onclick: run }, icon(given.icon === "trash" ? "trash" : "bolt"));
}

function feedback(place, block, given) {
  const one = (option, sign) => {
    const label = option.accessibility_label ?? words(option.text);
    const press = () => place.click(block, given, words(option.text));
    return h("button", { type: "button", class: "button", "aria-label": label, onclick: press }, `${sign} `, text(option.text));
  };
  return h("span", { class: "row" }, one(given.positive_button, "👍"), one(given.negative_button, "👎"));
}

function selecting(place, block, given) {
  const label = words(given.placeholder) || "Choose";
  return select(place, block, given, { label, changed: (value) => place.choose(block, given, value) });
}

// Pickers, radio buttons and checkboxes look as they do in forms.
function choosing(place, block, given) {
  const label = words(given.placeholder) || words(block.text) || "Choose";
  return field(place, block, given, { label, changed: (value) => place.choose(block, given, value) });
}
