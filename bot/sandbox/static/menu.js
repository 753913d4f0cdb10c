// A menu of actions beside a button.

import { h } from "./dom.js";
import { popup } from "./floating.js";
import { icon } from "./icons.js";

// items: {label, icon?, note?, danger?, href?, run?} or null for a line between.
export function openMenu(anchor, items, label) {
  const close = () => {
    if (box.isConnected) box.hidePopover();
  };
  const rows = items.map((item) => (item ? row(item, close) : h("hr")));
  const box = popup(anchor, { class: "menu", role: "menu", "aria-label": label }, rows, { end: true });
  const buttons = rows.filter((each) => each.tagName !== "HR");
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = buttons.indexOf(document.activeElement);
    buttons[(at + step + buttons.length) % buttons.length].focus();
  });
  buttons[0]?.focus();
  return box;
}

function row(item, close) {
  const inside = [item.icon && icon(item.icon), h("span", {}, item.label, item.note && h("small", {}, item.note))];
  if (item.href) {
    return h("a", { role: "menuitem", href: item.href, target: "_blank", rel: "noopener noreferrer", onclick: () => { item.run?.(); close(); } }, inside);
  }
  const run = () => {
    close();
    item.run();
  };
  return h("button", { type: "button", role: "menuitem", class: item.danger ? "danger" : null, onclick: run }, inside);
}
