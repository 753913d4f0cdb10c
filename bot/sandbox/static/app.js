// Puts the page together: what the address names is shown, and what the stream tells is read anew.

import { leaveApp, showApp } from "./appplace.js";
import { leaveChannel, showChannel } from "./channel.js";
import { h } from "./dom.js";
import { drawModals } from "./modal.js";
import { notice } from "./notices.js";
import { arrive, go, here, onRoute } from "./route.js";
import "./sidebar.js";
import { listen, on } from "./stream.js";
import { showThread } from "./thread.js";
import { channelOf, directWith, refresh, workspace } from "./workspace.js";

const REST_MS = 60; // several changes in a moment are one refresh
let timer = null;
let first = true;

function show({ place, thread, ts, tab }) {
  if (!place) return start();
  const app = workspace.apps.find((each) => [each.id, each.name].includes(place) || directWith(each)?.id === place);
  const channel = app ? directWith(app) : channelOf(place);
  if (app) showApp(app, tab ?? (directWith(app)?.id === place ? "messages" : "home"));
  else {
    leaveApp();
    if (channel) showChannel(channel);
    else nowhere(place);
  }
  showThread(channel, thread, ts);
  return undefined;
}

function start() {
  const mine = workspace.channels.filter(({ kind, is_member: member }) => kind !== "im" && member);
  const place = mine[0]?.name ?? workspace.apps[0]?.id;
  if (place) go(place, {}, { replace: true });
  else nowhere(null);
}

function nowhere(place) {
  leaveChannel();
  const words = place ? `${workspace.me.real_name} sees no channel “${place}”.` : `${workspace.me.real_name} is in no channel yet.`;
  const other = h("a", { href: "/", class: "button" }, "Act as someone else");
  document.getElementById("content").replaceChildren(h("div", { class: "nothing" }, h("h3", {}, words), other));
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(() => refresh().then(() => show(here())).catch(() => {}), REST_MS);
}

on(["message", "deleted", "channel", "read", "home"], later);
on("inspector", ({ kind }) => kind === "socket" && later());
on("ready", () => {
  if (!first) later(); // whatever was missed
  first = false;
  document.body.classList.remove("offline");
});
on("broken", () => document.body.classList.add("offline"));
onRoute(show);

try {
  await refresh();
  arrive();
  listen();
  await drawModals();
  document.body.classList.add("ready");
} catch (error) {
  notice(error.message, "error");
}
