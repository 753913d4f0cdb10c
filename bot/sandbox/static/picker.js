// A small emoji picker with a search field.

import { h } from "./dom.js";
import { GROUPS, search } from "./emoji.js";
import { popup } from "./floating.js";

export function pickEmoji(anchor, picked) {
  const field = h("input", { type: "search", placeholder: "Search emoji", "aria-label": "Search emoji", autocomplete: "off" });
  const list = h("div", { class: "emoji-list" });
  const take = ({ names }) => {
    box.hidePopover();
    picked(names[0]);
  };
  const cell = (entry) => h("button", { type: "button", class: "emoji-cell", title: `:${entry.names[0]}:`, "aria-label": entry.names[0].replaceAll("_", " "), dataset: { name: entry.names[0] }, onclick: () => take(entry) }, entry.sign);
  const draw = () => {
    const words = field.value.trim();
    if (!words) return list.replaceChildren(...GROUPS.map(({ title, entries }) => h("section", {}, h("h4", {}, title), h("div", { class: "emoji-grid" }, entries.map(cell)))));
    const hits = search(words);
    list.replaceChildren(hits.length ? h("div", { class: "emoji-grid" }, hits.map(cell)) : h("p", { class: "empty" }, "No emoji found"));
  };
  field.addEventListener("input", draw);
  field.addEventListener("keydown", (event) => {
    const first = list.querySelector("button");
    if (event.key === "Enter" && first) first.click();
    if (event.key === "ArrowDown") first?.focus();
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 9, ArrowUp: -9 }[event.key];
    if (!step) return;
    event.preventDefault();
    const cells = [...list.querySelectorAll("button")];
    const next = cells[cells.indexOf(document.activeElement) + step];
    (next ?? (step < 0 ? field : cells.at(-1))).focus();
  });
  draw();
  const box = popup(anchor, { class: "picker", role: "dialog", "aria-label": "Pick an emoji" }, [field, list]);
  field.focus();
}
