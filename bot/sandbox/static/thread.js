// The pane beside the messages with one message and its replies.

import { composer } from "./composer.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { closed, opened } from "./panes.js";
import { go, here } from "./route.js";
import { on } from "./stream.js";
import { Timeline } from "./timeline.js";

const pane = document.getElementById("thread");
let open = null;

export function showThread(channel, ts, wanted = null) {
  if (!ts || !channel) return hide();
  const key = `${channel.id}|${ts}`;
  if (open?.key === key) return undefined;
  const timeline = new Timeline({ channel: channel.id, thread: ts, where: "thread" });
  open = { key, timeline, channel: channel.id };
  const close = () => go(here().place, { tab: here().tab });
  const where = channel.kind === "im" ? channel.name : `#${channel.name}`;
  pane.replaceChildren(
    h("header", { class: "pane-head" }, h("div", { class: "titles" }, h("h2", {}, "Thread"), h("span", { class: "faint" }, where)), h("button", { type: "button", class: "icon-button", "aria-label": "Close the thread", title: "Close", onclick: close }, icon("close"))),
    timeline.box,
    channel.is_member && !channel.archived ? composer({ channel, thread: ts, name: "Reply" }) : h("p", { class: "closed" }, "You cannot reply here."),
  );
  pane.hidden = false;
  opened(pane);
  document.body.classList.add("with-thread");
  timeline.load().then(() => wanted && timeline.reveal(wanted));
  if (!wanted) pane.querySelector("textarea")?.focus();
  return undefined;
}

function hide() {
  open = null;
  pane.hidden = true;
  closed(pane);
  pane.replaceChildren();
  document.body.classList.remove("with-thread");
}

on(["message", "changed", "deleted", "reaction", "ephemeral"], ({ channel }) => open?.channel === channel && open.timeline.load());
on("ready", () => open?.timeline.load());
