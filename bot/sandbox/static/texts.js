// Text objects of Block Kit, and the `text` of messages.

import { h } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";

export function text(object) {
  if (object === null || object === undefined) return h("span", {}, "");
  if (typeof object === "string") return h("span", { class: "plain" }, object);
  if (object.type === "mrkdwn") return h("span", { class: "mrkdwn" }, mrkdwn(object.text ?? "", object));
  const words = String(object.text ?? "");
  return h("span", { class: "plain" }, object.emoji === false ? words : withEmoji(words));
}

export function words(object) {
  return typeof object === "string" ? object : String(object?.text ?? "");
}
