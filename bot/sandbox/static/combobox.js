// A field that one types into to choose from a list, one or several; WAI-ARIA's combobox with a listbox.

import { h, newId } from "./dom.js";
import { float } from "./floating.js";
import { icon } from "./icons.js";

const PAUSE_MS = 200; // after the last letter, until an app is asked for options

// given: label, placeholder, several, most, clearable, chosen: [option], least (letters until asking), focus,
//   load(query) -> [{value, text, note, group, picture}] or a promise of it, changed([option]).
export function combobox(given) {
  const list = h("div", { class: "popup options", popover: "manual", role: "listbox", id: newId("list"), "aria-label": given.label });
  if (given.several) list.setAttribute("aria-multiselectable", "true");
  const input = h("input", {
    type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", "aria-label": given.label, "aria-expanded": "false",
    "aria-controls": list.id, "aria-autocomplete": "list", dataset: given.focus ? { focus: given.focus } : {},
  });
  const chips = h("span", { class: "chips" });
  const clear = h("button", { type: "button", class: "icon-button small", "aria-label": "Clear" }, icon("close"));
  const box = h("div", { class: `select ${given.several ? "several" : ""}` }, chips, input, given.clearable && clear, icon("chevron"), list);
  let chosen = [...given.chosen];
  let offered = [];
  let active = -1;
  let asking = 0;
  let timer = null;

  const isOpen = () => list.matches(":popover-open");
  const same = (one, other) => one.value === other.value;

  function shown() {
    const one = given.several ? null : chosen[0];
    input.value = one?.text ?? "";
    input.placeholder = chosen.length && given.several ? "" : given.placeholder ?? "";
    clear.hidden = !chosen.length;
    chips.replaceChildren(...(given.several ? chosen.map(chip) : []));
  }

  function chip(option) {
    const take = h("button", { type: "button", class: "icon-button small", "aria-label": `Remove ${option.text}`, onclick: () => choose(option) }, icon("close"));
    return h("span", { class: "chip" }, option.text, take);
  }

  function choose(option) {
    const has = chosen.some((each) => same(each, option));
    if (!given.several) chosen = [option];
    else if (has) chosen = chosen.filter((each) => !same(each, option));
    else if (chosen.length < (given.most ?? Infinity)) chosen = [...chosen, option];
    else return;
    shown();
    if (given.several) {
      input.value = "";
      if (isOpen()) ask("");
    } else close();
    given.changed(chosen);
  }

  async function ask(query) {
    asking += 1;
    const mine = asking;
    if (query.length < (given.least ?? 0)) {
      return draw([], `Type ${given.least > 1 ? `at least ${given.least} letters` : "to search"}`);
    }
    try {
      const options = given.load(query);
      if (options instanceof Promise) say("Loading options…");
      const answer = await options;
      if (mine === asking) draw(answer, "No matches");
    } catch (error) {
      if (mine === asking) draw([], error.message);
    }
  }

  function say(words) {
    list.replaceChildren(h("p", { class: "empty" }, words));
  }

  function draw(options, otherwise) {
    offered = options;
    active = offered.findIndex((option) => chosen.some((each) => same(each, option)));
    if (active < 0 && offered.length) active = 0;
    if (!offered.length) say(otherwise);
    else list.replaceChildren(...groups(offered));
    mark();
    if (isOpen()) float(list, box, { wide: true });
  }

  function groups(options) {
    const nodes = [];
    options.forEach((option, index) => {
      if (option.group && option.group !== options[index - 1]?.group) nodes.push(h("div", { class: "group", role: "presentation" }, option.group));
      nodes.push(row(option, index));
    });
    return nodes;
  }

  function row(option, index) {
    const selected = chosen.some((each) => same(each, option));
    return h(
      "div",
      {
        role: "option", id: `${list.id}-${index}`, "aria-selected": String(selected), class: "option",
        onmousedown: (event) => event.preventDefault(), onclick: () => choose(option),
      },
      option.picture?.(),
      h("span", {}, option.text, option.note && h("small", {}, option.note)),
      selected && icon("check"),
    );
  }

  function mark() {
    const rows = [...list.querySelectorAll("[role=option]")];
    rows.forEach((each, index) => each.classList.toggle("active", index === active));
    rows[active]?.scrollIntoView({ block: "nearest" });
    if (rows[active]) input.setAttribute("aria-activedescendant", rows[active].id);
    else input.removeAttribute("aria-activedescendant");
  }

  function open() {
    if (isOpen()) return;
    list.showPopover();
    input.setAttribute("aria-expanded", "true");
    document.addEventListener("scroll", follow, { capture: true, passive: true });
    addEventListener("resize", follow);
    ask("");
    float(list, box, { wide: true });
  }

  function follow(event) {
    if (!input.isConnected) close();
    else if (event.target !== list) float(list, box, { wide: true });
  }

  function close() {
    if (isOpen()) list.hidePopover();
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    document.removeEventListener("scroll", follow, { capture: true });
    removeEventListener("resize", follow);
    shown();
  }

  const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
  input.addEventListener("keydown", (event) => {
    if (event.key in moves) {
      event.preventDefault();
      if (!isOpen()) return open();
      active = Math.max(0, Math.min(offered.length - 1, active + moves[event.key]));
      mark();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (isOpen() && offered[active]) choose(offered[active]);
      else open();
    } else if (event.key === "Escape" && isOpen()) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === "Backspace" && given.several && !input.value && chosen.length) choose(chosen.at(-1));
  });
  input.addEventListener("input", () => {
    if (!isOpen()) open();
    clearTimeout(timer);
    timer = setTimeout(() => ask(input.value.trim()), given.remote ? PAUSE_MS : 0);
  });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", open);
  input.addEventListener("blur", close);
  box.addEventListener("mousedown", (event) => {
    if (event.target === input || event.target.closest("button, .options")) return;
    event.preventDefault();
    input.focus();
    open();
  });
  clear.addEventListener("click", () => {
    chosen = [];
    shown();
    given.changed(chosen);
    input.focus();
  });
  shown();
  return box;
}

// Options whose words contain what was typed, those that begin with it first.
export function matching(options, query) {
  const wanted = query.toLowerCase();
  const hits = options.filter(({ text, note }) => `${text} ${note ?? ""}`.toLowerCase().includes(wanted));
  if (!wanted || hits.some(({ group }) => group)) return hits;
  const later = ({ text }) => Number(!text.toLowerCase().startsWith(wanted));
  return hits.sort((one, other) => later(one) - later(other));
}
