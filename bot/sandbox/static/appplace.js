// The middle of the window for an app: its Home tab, and the direct messages with it.

import { blocks } from "./blocks.js";
import { footOf, leaveChannel, timelineOf } from "./channel.js";
import { act, look } from "./control.js";
import { h, keepFocus } from "./dom.js";
import { avatar } from "./avatars.js";
import { headOf } from "./head.js";
import { notice } from "./notices.js";
import { viewPlace } from "./place.js";
import { address, stay } from "./route.js";
import { on } from "./stream.js";
import { directWith, refresh } from "./workspace.js";

const pane = document.getElementById("content");
const WAIT_MS = 4000; // for the first Home tab, before saying that none came
let shown = null;

export async function showApp(app, tab) {
  const wanted = tab === "messages" ? "messages" : "home";
  if (shown?.key === `${app.id}|${wanted}`) return;
  leaveChannel();
  const body = h("div", { class: "app-body" });
  shown = { key: `${app.id}|${wanted}`, app, tab: wanted, body, hash: null };
  pane.replaceChildren(head(app, wanted), body);
  if (wanted === "home") await home(app, body);
  else await messages(app, body);
}

export function leaveApp() {
  shown = null;
}

function head(app, wanted) {
  const tab = (name, label) => h("a", { class: "tab", href: address(app.id, { tab: name }), "aria-current": wanted === name ? "page" : null, onclick: (event) => stay(event, app.id, { tab: name }) }, label);
  const title = [avatar(app.bot_user, "tiny"), app.name];
  return headOf({ title, tabs: h("nav", { class: "tabs", "aria-label": `Parts of ${app.name}` }, tab("home", "Home"), tab("messages", "Messages")) });
}

async function home(app, body) {
  body.replaceChildren(h("p", { class: "empty" }, "Opening …"));
  const late = setTimeout(() => shown?.body === body && !shown.hash && body.replaceChildren(noHome(app)), WAIT_MS);
  await drawHome();
  try {
    const outcome = await act("home/open", { app: app.id });
    if (!outcome.ok && shown?.body === body) notice(outcome.error, "error");
  } catch (error) {
    notice(error.message, "error");
  }
  await drawHome();
  if (shown?.hash) clearTimeout(late);
  refresh();
}

function noHome(app) {
  return h("div", { class: "nothing" }, h("h3", {}, `${app.name} has no Home tab yet`), h("p", {}, app.sockets || app.request_url ? "The app was notified, but has not published a Home tab." : "The app is not connected. Start it to see its Home tab."));
}

async function drawHome() {
  const mine = shown;
  if (mine?.tab !== "home") return;
  const { view } = await look("home", { app: mine.app.id });
  if (!view || mine !== shown || mine.hash === view.hash) return;
  mine.hash = view.hash;
  const place = viewPlace(view);
  keepFocus(mine.body, () => mine.body.replaceChildren(h("div", { class: "home blocks" }, blocks(place, view.blocks))));
}

async function messages(app, body) {
  let channel = directWith(app);
  if (!channel) {
    await act("home/open", { app: app.id }).catch((error) => notice(error.message, "error"));
    await refresh();
    channel = directWith(app);
  }
  if (channel && shown?.body === body) body.replaceChildren(timelineOf(channel).box, footOf(channel));
}

on("home", ({ app }) => shown?.app.id === app && drawHome());
on("ready", drawHome);
