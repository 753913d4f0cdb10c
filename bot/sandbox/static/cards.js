// The newer blocks that hold others: card, carousel, container, alert, plan and its tasks.

import { h } from "./dom.js";
import { element } from "./elements.js";
import { icon } from "./icons.js";
import { picture } from "./pictures.js";
import { richText } from "./richtext.js";
import { text } from "./texts.js";

const STATES = { pending: "○", in_progress: "◐", complete: "●", error: "✕" };

export function card(place, block) {
  const actions = (block.actions ?? []).map((each) => element(place, block, each));
  return h(
    "article",
    { class: "card" },
    block.hero_image && picture(block.hero_image, "hero"),
    h("div", { class: "row" }, block.icon && picture(block.icon, "tiny"), block.title && h("strong", {}, text(block.title))),
    block.subtitle && h("p", { class: "faint" }, text(block.subtitle)),
    block.body && h("p", {}, text(block.body)),
    actions.length > 0 && h("div", { class: "row" }, actions),
  );
}

export function carousel(place, block) {
  const cards = (block.elements ?? []).map((each) => card(place, each));
  return h("div", { class: "carousel", tabindex: "0", role: "group", "aria-label": "Cards" }, cards);
}

export function container(place, block, blocks) {
  const title = block.rich_text_title ? richText(block.rich_text_title) : text(block.title);
  const head = [h("strong", {}, title), block.subtitle && h("small", {}, text(block.subtitle))];
  const inside = blocks(place, block.child_blocks ?? []);
  if (!block.is_collapsible) return h("section", { class: "container" }, h("div", {}, head), inside);
  return h("details", { class: "container", open: !block.default_collapsed }, h("summary", {}, head), inside);
}

export function alertBox(block) {
  const level = block.level ?? "default";
  return h("div", { class: `alert ${level}`, role: "note" }, icon(level === "warning" || level === "error" ? "alert" : "info"), text(block.text));
}

export function taskCard(block) {
  const mark = h("span", { class: `task-state ${block.status}`, title: (block.status ?? "").replace("_", " ") }, STATES[block.status] ?? "○");
  const more = [block.details, block.output].filter(Boolean).map((each) => (each.type === "rich_text" ? richText(each) : text(each)));
  return h("div", { class: "task" }, mark, h("div", {}, h("strong", {}, block.title ?? ""), more));
}

export function plan(block) {
  return h("section", { class: "container" }, h("strong", {}, block.title ?? ""), (block.tasks ?? []).map(taskCard));
}
