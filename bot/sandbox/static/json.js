// JSON that can be opened level by level, and the box for whatever this page cannot draw.

import { h } from "./dom.js";

const OPEN_MOST = 3; // entries; larger ones start closed

export function json(value, name = null, open = true) {
  const label = name === null ? [] : [h("span", { class: "key" }, name), ": "];
  if (value === null || typeof value !== "object") return h("div", { class: "leaf" }, label, leaf(value));
  const entries = Array.isArray(value) ? value.map((each, index) => [String(index), each]) : Object.entries(value);
  const [left, right] = Array.isArray(value) ? "[]" : "{}";
  if (!entries.length) return h("div", { class: "leaf" }, label, `${left}${right}`);
  const summary = h("summary", {}, label, h("span", { class: "brief" }, `${left} ${brief(value, entries)} ${right}`));
  const details = h("details", { class: "json", open: open || undefined }, summary);
  const fill = () => {
    if (details.childElementCount > 1) return;
    details.append(h("div", { class: "inside" }, entries.map(([key, each]) => json(each, key, openAtOnce(each)))));
  };
  if (open) fill();
  details.addEventListener("toggle", fill);
  return details;
}

function openAtOnce(value) {
  return value !== null && typeof value === "object" && Object.keys(value).length <= OPEN_MOST;
}

function brief(value, entries) {
  if (Array.isArray(value)) return entries.length === 1 ? "1 entry" : `${entries.length} entries`;
  if (typeof value.type === "string") return value.type;
  return entries.map(([key]) => key).slice(0, 4).join(", ") + (entries.length > 4 ? ", …" : "");
}

function leaf(value) {
  const kind = value === null ? "null" : typeof value;
  return h("span", { class: `value ${kind}` }, kind === "string" ? JSON.stringify(value) : String(value));
}

export function unknown(block) {
  const kind = typeof block?.type === "string" ? block.type : "without a type";
  return h("div", { class: "unknown" }, h("p", {}, "Not supported here: ", h("code", {}, kind)), json(block, null, false));
}
