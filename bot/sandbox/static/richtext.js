// The rich_text block: sections, lists, code, quotes and their inline elements.

import { dated } from "./dates.js";
import { h, link } from "./dom.js";
import { emoji } from "./emoji.js";
import { unknown } from "./json.js";
import { broadcast, channel, mention } from "./mrkdwn.js";

const TAGS = { bold: "strong", italic: "em", strike: "s", underline: "u", code: "code" };

export function richText(block) {
  return h("div", { class: "rich-text" }, (block.elements ?? []).map(part));
}

function part(element) {
  const inside = () => (element.elements ?? []).map(inline);
  if (element.type === "rich_text_section") return h("p", {}, inside());
  if (element.type === "rich_text_preformatted") return h("pre", {}, inside());
  if (element.type === "rich_text_quote") return h("blockquote", {}, inside());
  if (element.type === "rich_text_list") return list(element);
  return unknown(element);
}

function list(element) {
  const ordered = element.style === "ordered";
  const properties = { class: `depth-${Math.min(element.indent ?? 0, 6)}`, start: ordered ? (element.offset ?? 0) + 1 : null };
  const items = (element.elements ?? []).map((item) => h("li", {}, (item.elements ?? []).map(inline)));
  return h(ordered ? "ol" : "ul", properties, items);
}

function inline(element) {
  const node = plain(element);
  return Object.keys(TAGS).reduce((inner, name) => (element.style?.[name] ? h(TAGS[name], {}, inner) : inner), node);
}

function plain(element) {
  if (element.type === "text") return element.text ?? "";
  if (element.type === "link") return link(element.url, element.text || element.url);
  if (element.type === "user") return mention(element.user_id);
  if (element.type === "usergroup") return h("span", { class: "mention" }, `@${element.usergroup_id}`);
  if (element.type === "channel") return channel(element.channel_id);
  if (element.type === "broadcast") return broadcast(element.range);
  if (element.type === "emoji") return emoji(element.name) ?? `:${element.name}:`;
  if (element.type === "date") return dated(element.timestamp, element.format ?? "{date}");
  if (element.type === "color") return colour(element.value);
  return unknown(element);
}

function colour(value) {
  const patch = h("span", { class: "patch" });
  patch.style.backgroundColor = /^#[0-9a-f]{3,8}$/i.test(value) ? value : "transparent";
  return h("code", {}, patch, String(value));
}
