// Secondary attachments, Slack's older way: a coloured bar with text, fields or blocks.

import { blocks } from "./blocks.js";
import { h, link, safeUrl } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";
import { picture } from "./pictures.js";
import { messagePlace } from "./place.js";

const COLOURS = { good: "#2e8b6f", warning: "#d99a1c", danger: "#c4452f" };

export function attachments(message) {
  if (!message.attachments?.length) return null;
  return message.attachments.map((each) => one(message, each));
}

function one(message, given) {
  const box = h(
    "div",
    { class: "attachment" },
    given.pretext && h("p", {}, mrkdwn(given.pretext)),
    given.author_name && h("p", { class: "faint" }, given.author_name),
    given.title && h("p", {}, h("strong", {}, safeUrl(given.title_link) ? link(given.title_link, given.title) : given.title)),
    given.text && h("div", { class: "mrkdwn" }, mrkdwn(given.text)),
    given.fields?.length && h("div", { class: "fields" }, given.fields.map((each) => h("div", {}, h("strong", {}, each.title ?? ""), h("div", {}, mrkdwn(String(each.value ?? "")))))),
    given.blocks?.length && h("div", { class: "blocks" }, blocks(messagePlace(message), given.blocks)),
    given.image_url && picture({ image_url: given.image_url, alt_text: given.fallback ?? "" }),
    given.footer && h("p", { class: "faint" }, given.footer),
  );
  const colour = COLOURS[given.color] ?? (/^#?[0-9a-f]{6}$/i.test(given.color ?? "") ? `#${given.color.replace("#", "")}` : null);
  if (colour) box.style.borderLeftColor = colour;
  return box;
}
