// The middle of the window for a channel: its name, its messages, its composer.

import { asked } from "./confirm.js";
import { act } from "./control.js";
import { composer } from "./composer.js";
import { h } from "./dom.js";
import { headOf } from "./head.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { notice, trying } from "./notices.js";
import { avatar } from "./avatars.js";
import { popup } from "./floating.js";
import { go, here } from "./route.js";
import { on } from "./stream.js";
import { Timeline } from "./timeline.js";
import { isMe, nameOf, refresh, workspace } from "./workspace.js";

const pane = document.getElementById("content");
let shown = null;

export function showChannel(channel) {
  const key = `${channel.id}|${channel.is_member}|${channel.archived}`;
  if (shown?.key === key) return shown.timeline;
  const timeline = timelineOf(channel);
  pane.replaceChildren(head(channel), timeline.box, foot(channel));
  shown = { key, id: channel.id, timeline };
  return timeline;
}

// A timeline that keeps itself up to date and marks its channel as read.
export function timelineOf(channel) {
  const timeline = new Timeline({ channel: channel.id, empty: () => nothingYet(channel) });
  timeline.unreadFrom(channel.unread && channel.read ? Number(channel.read) : null);
  watch(timeline);
  timeline.load().then(() => {
    read(channel.id);
    const { ts, thread } = here();
    if (ts && !thread) timeline.reveal(ts);
  });
  return timeline;
}

export function leaveChannel() {
  shown = null;
}

let watched = null;

function watch(timeline) {
  watched = timeline;
}

function read(channel) {
  const known = workspace.channels.find(({ id }) => id === channel);
  if (!document.hidden && known?.is_member && known.unread) act("read", { channel }).catch(() => {});
}

on(["message", "changed", "deleted", "reaction", "ephemeral"], async ({ channel }, kind) => {
  if (watched?.channel !== channel || !watched.box.isConnected) return;
  await watched.load();
  if (kind === "message" && !document.hidden) act("read", { channel }).catch(() => {});
});
on("ready", () => watched?.box.isConnected && watched.load());
document.addEventListener("visibilitychange", () => watched?.box.isConnected && read(watched.channel));

function nothingYet(channel) {
  const name = channel.kind === "im" ? channel.name : `#${channel.name}`;
  return h("div", { class: "nothing" }, h("h3", {}, `This is the beginning of ${name}`), workspace.welcome && h("p", {}, workspace.welcome));
}

function head(channel) {
  const count = channel.members.length;
  const people = h("button", { type: "button", class: "button quiet", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: (event) => members(event.currentTarget, channel) }, channel.members.slice(0, 3).map((id) => avatar(id, "tiny")), `${count}`, h("span", { class: "hidden" }, " members"));
  const more = h("button", { type: "button", class: "icon-button", "aria-label": "Channel actions", "aria-haspopup": "menu", "aria-expanded": "false", onclick: (event) => openMenu(event.currentTarget, actions(channel), "Channel actions") }, icon("more"));
  const title = [icon(channel.kind === "private" ? "lock" : "hash"), channel.name];
  return headOf({ title, note: channel.topic, tools: [people, more] });
}

function members(anchor, channel) {
  const rows = channel.members.map((id) => h("li", {}, avatar(id, "small"), h("span", {}, nameOf(id)), isMe(id) && h("span", { class: "badge" }, "you")));
  popup(anchor, { class: "members", role: "dialog", "aria-label": "Members" }, [h("h3", {}, "Members"), h("ul", {}, rows)], { end: true });
}

function actions(channel) {
  const at = { channel: channel.id };
  const shortcuts = workspace.apps.flatMap((app) => app.shortcuts.filter(({ type }) => type === "global").map(({ name, callback_id }) => ({ label: name, note: app.name, icon: "bolt", run: () => trying(act("shortcut", { callback_id })) })));
  const leave = async () => {
    if (!(await asked("Leave this channel?", `You will no longer receive messages from #${channel.name}.`, "Leave"))) return;
    await trying(act("leave", at));
    await refresh();
    if (!workspace.channels.some(({ id }) => id === channel.id)) go(workspace.channels[0]?.id);
  };
  const copy = { label: "Copy channel id", note: channel.id, icon: "link", run: () => navigator.clipboard?.writeText(channel.id).then(() => notice("Channel id copied.")) };
  const mine = channel.is_member ? { label: "Leave the channel", icon: "close", danger: true, run: leave } : { label: "Join the channel", icon: "check", run: () => trying(act("join", at)) };
  return [...shortcuts, ...(shortcuts.length ? [null] : []), copy, mine];
}

function foot(channel) {
  if (channel.archived) return h("p", { class: "closed" }, "This channel is archived and read-only.");
  if (channel.is_member) return composer({ channel, name: `Message ${channel.kind === "im" ? channel.name : `#${channel.name}`}`, follow: () => watched?.follow() });
  const join = h("button", { type: "button", class: "button primary", onclick: () => trying(act("join", { channel: channel.id })) }, "Join the channel");
  return h("div", { class: "closed row" }, `You are not a member of #${channel.name}.`, join);
}

export { foot as footOf };
