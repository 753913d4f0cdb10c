// What one enters into a form, an element a function. Each holds what is entered and calls changed(value).

import { agreed } from "./confirm.js";
import { h, newId } from "./dom.js";
import { unknown } from "./json.js";
import { select } from "./selects.js";
import { text, words } from "./texts.js";

// options: label (for screen readers where no <label> names it), id, describedBy, required, clearable,
//   changed(value), typed(value): at each letter
export function field(place, block, element, options) {
  if (element.type.endsWith("_select")) return select(place, block, element, options);
  return (FIELDS[element.type] ?? ((...given) => unknown(given[2])))(place, block, element, options);
}

const FIELDS = {
  plain_text_input: (place, block, element, options) => (element.multiline ? area : line)(place, block, element, options, {}),
  number_input: (place, block, element, options) =>
    line(place, block, element, options, { inputmode: element.is_decimal_allowed ? "decimal" : "numeric", class: "short" }),
  email_text_input: (place, block, element, options) => line(place, block, element, options, { inputmode: "email", autocomplete: "off" }),
  url_text_input: (place, block, element, options) => line(place, block, element, options, { inputmode: "url" }),
  rich_text_input: richArea,
  datepicker: (place, block, element, options) => picker(place, block, element, options, "date", element.initial_date),
  timepicker: (place, block, element, options) => picker(place, block, element, options, "time", element.initial_time),
  datetimepicker: moment,
  radio_buttons: choices,
  checkboxes: choices,
};

function common(place, block, element, options) {
  return {
    id: options.id,
    "aria-label": options.id ? null : options.label,
    "aria-describedby": options.describedBy,
    "aria-required": options.required ? "true" : null,
    placeholder: words(element.placeholder) || null,
    dataset: { focus: place.keyOf(block, element) },
  };
}

function typing(place, block, element, options, control, read = () => control.value) {
  control.addEventListener("input", () => {
    place.hold(block, element, read());
    options.typed?.(read());
  });
  return control;
}

function line(place, block, element, options, more) {
  const value = place.held(block, element, element.initial_value) ?? "";
  const control = h("input", { type: "text", ...common(place, block, element, options), ...more, maxlength: element.max_length, value });
  control.addEventListener("keydown", (event) => {
    if (event.key === "Enter") options.entered?.(control.value);
  });
  return typing(place, block, element, options, control);
}

function area(place, block, element, options) {
  const value = place.held(block, element, element.initial_value) ?? "";
  const control = h("textarea", { rows: "3", ...common(place, block, element, options), maxlength: element.max_length, value });
  return typing(place, block, element, options, control);
}

// Typed as plain text; what was formatted before is kept as words.
function richArea(place, block, element, options) {
  const before = place.held(block, element, element.initial_value);
  const value = typeof before === "string" ? before : plainOf(before);
  const control = h("textarea", { rows: String(element.min_lines ?? 4), ...common(place, block, element, options), value });
  control.addEventListener("change", () => options.changed?.(control.value));
  return typing(place, block, element, options, control);
}

function plainOf(rich) {
  const paragraphs = rich?.elements ?? [];
  return paragraphs.map((each) => (each.elements ?? []).map((part) => part.text ?? part.url ?? "").join("")).join("\n");
}

function picker(place, block, element, options, type, initial) {
  const value = place.held(block, element, initial) ?? "";
  const control = h("input", { type, ...common(place, block, element, options), value });
  let before = value;
  control.addEventListener("change", async () => {
    if (!(await agreed(element))) return (control.value = before);
    before = control.value;
    place.hold(block, element, control.value || null);
    options.changed?.(control.value || null);
  });
  return control;
}

// Slack holds seconds since 1970; the control shows this computer's time.
function moment(place, block, element, options) {
  const seconds = place.held(block, element, element.initial_date_time);
  const control = h("input", { type: "datetime-local", ...common(place, block, element, options), value: seconds ? localText(seconds) : "" });
  control.addEventListener("change", async () => {
    if (!(await agreed(element))) return;
    const chosen = control.value ? Math.floor(new Date(control.value).getTime() / 1000) : null;
    place.hold(block, element, chosen);
    if (chosen !== null) options.changed?.(chosen);
  });
  return control;
}

function localText(seconds) {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function choices(place, block, element, options) {
  const several = element.type === "checkboxes";
  const initial = several ? element.initial_options ?? [] : element.initial_option;
  const held = [place.held(block, element, initial)].flat().filter(Boolean).map(({ value }) => value);
  const name = newId("choice");
  const row = (option, index) => {
    const key = `${place.keyOf(block, element)}|${index}`;
    const control = h("input", { type: several ? "checkbox" : "radio", name, checked: held.includes(option.value), dataset: { focus: key }, onchange: change });
    const note = option.description && h("small", {}, text(option.description));
    return h("label", { class: "choice" }, control, h("span", {}, text(option.text), note));
  };
  const rows = element.options.map(row);
  const box = h(
    "div",
    { id: options.id, class: "choices", role: several ? "group" : "radiogroup", "aria-label": options.label, "aria-describedby": options.describedBy, tabindex: "-1" },
    rows,
  );
  async function change() {
    const ticked = element.options.filter((_, index) => rows[index].querySelector("input").checked);
    if (!(await agreed(element))) return box.replaceWith(choices(place, block, element, options));
    const stored = ticked.map((option) => ({ text: option.text, value: option.value }));
    place.hold(block, element, several ? stored : stored[0] ?? null);
    const values = ticked.map(({ value }) => value);
    options.changed?.(several ? values : values[0] ?? null);
  }
  return box;
}
