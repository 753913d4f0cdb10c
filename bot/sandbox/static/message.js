// One message: who, when, what, its files, reactions and thread, and what one can do with it.

import { attachments } from "./attachments.js";
import { avatar } from "./avatars.js";
import { blocks } from "./blocks.js";
import { act } from "./control.js";
import { full, time } from "./dates.js";
import { h, hidden } from "./dom.js";
import { editing } from "./editing.js";
import { files } from "./files.js";
import { icon } from "./icons.js";
import { messageMenu } from "./messagemenu.js";
import { joined } from "./joined.js";
import { mrkdwn } from "./mrkdwn.js";
import { trying } from "./notices.js";
import { pickEmoji } from "./picker.js";
import { messagePlace } from "./place.js";
import { reactions, toggle } from "./reactions.js";
import { go, here } from "./route.js";
import { nameOf, personOf } from "./workspace.js";

// where: "channel" or "thread"; compact: the one before is by the same person and not long ago.
export function messageNode(message, { compact = false, where = "channel" } = {}) {
  const author = nameOf(message.user);
  const article = h(
    "article",
    {
      class: `message ${compact ? "compact" : ""} ${message.ephemeral ? "ephemeral" : ""}`,
      dataset: { ts: message.ts },
      tabindex: "-1",
      "aria-label": `${author}, ${time(message.ts)}`,
    },
    h("div", { class: "gutter" }, compact ? stamp(message, "stamp") : avatar(message.user)),
    h(
      "div",
      { class: "matter" },
      message.ephemeral && h("p", { class: "only-you" }, icon("eye"), "Only visible to you"),
      !compact && byline(message, author),
      body(message),
      attachments(message),
      files(message),
      reactions(message),
      where === "channel" && replies(message),
    ),
  );
  article.append(toolbar(message, article, where));
  return article;
}

function byline(message, author) {
  const person = personOf(message.user);
  const away = person?.deleted && h("span", { class: "badge" }, "deactivated");
  const outside = person?.is_stranger && h("span", { class: "badge" }, "external");
  return h("p", { class: "byline" }, h("strong", {}, author), person?.is_bot && h("span", { class: "badge" }, "APP"), outside, away, stamp(message, "time"));
}

function stamp(message, kind) {
  return h("time", { class: kind, title: full(message.ts), datetime: new Date(message.ts * 1000).toISOString() }, time(message.ts));
}

function body(message) {
  const edited = message.edited && h("span", { class: "edited" }, " (edited)");
  if (message.blocks.length) return h("div", { class: "blocks" }, blocks(messagePlace(message), message.blocks), edited);
  if (message.subtype === "channel_join") return joined(message);
  if (!message.text) return null;
  return h("div", { class: "text mrkdwn" }, mrkdwn(message.text), edited);
}

function replies(message) {
  const { reply_count: count, reply_users: people = [], latest_reply: latest } = message.thread ?? {};
  if (!count) return null;
  const words = count === 1 ? "1 reply" : `${count} replies`;
  const open = () => go(here().place, { thread: message.ts, tab: here().tab });
  return h("button", { type: "button", class: "replies", onclick: open }, people.map((id) => avatar(id, "tiny")), h("strong", {}, words), h("span", { class: "faint" }, `last at ${time(latest)}`));
}

function toolbar(message, article, where) {
  const tool = (label, name, run, more = {}) =>
    h("button", { type: "button", class: "icon-button", title: label, onclick: run, ...more }, icon(name), hidden(`${label}: message of ${nameOf(message.user)}, ${time(message.ts)}`));
  const react = (event) => pickEmoji(event.currentTarget, (name) => toggle(message, name));
  const reply = () => go(here().place, { thread: message.thread_ts ?? message.ts, tab: here().tab });
  const menu = (event) => messageMenu(event.currentTarget, message, () => editing(article, message));
  const dismiss = () => trying(act("delete", { channel: message.channel, ts: message.ts }));
  const menuButton = tool("More actions", "more", menu, { "aria-haspopup": "menu", "aria-expanded": "false" });
  const tools = message.ephemeral
    ? [tool("Dismiss", "close", dismiss)]
    : [tool("Add a reaction", "smile", react), where === "channel" && tool("Reply in a thread", "thread", reply), menuButton];
  return h("div", { class: "toolbar", role: "toolbar", "aria-label": "Message actions" }, tools.filter(Boolean));
}
