// The drawer that shows what went between the workspace and the apps: envelopes, acknowledgements, calls, sockets.

import { look } from "./control.js";
import { timeWithSeconds } from "./dates.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { json } from "./json.js";
import { notice } from "./notices.js";
import { closed, opened } from "./panes.js";
import { on } from "./stream.js";

const pane = document.getElementById("inspector");
const KEPT = 400; // entries shown
const PAUSE_MS = 150; // entries come in bursts
const AGAIN = 40; // how many of the last are read anew: calls get their status when they end
const entries = new Map();
const rows = new Map();
let list = null;
let words = "";
let since = 0;
let timer = null;

export function toggleInspector() {
  if (pane.hidden) open();
  else close();
}

function open() {
  const filter = h("input", { type: "search", placeholder: "Filter: chat.update, block_actions, 429 …", "aria-label": "Filter the entries", value: words });
  filter.addEventListener("input", () => {
    words = filter.value.toLowerCase();
    draw();
  });
  const clear = h("button", { type: "button", class: "button quiet", onclick: forget }, "Clear");
  const shut = h("button", { type: "button", class: "icon-button", "aria-label": "Close the inspector", onclick: close }, icon("close"));
  list = h("ol", { class: "entries", tabindex: "0", "aria-label": "Entries, newest first" });
  pane.replaceChildren(h("header", { class: "pane-head" }, h("div", { class: "titles" }, h("h2", {}, "Inspector"), h("span", { class: "faint" }, "Traffic between Slack and the apps")), clear, shut), h("div", { class: "inspector-filter" }, filter), list);
  pane.hidden = false;
  opened(pane);
  document.body.classList.add("with-inspector");
  filter.focus();
  load();
}

function close() {
  pane.hidden = true;
  closed(pane);
  document.body.classList.remove("with-inspector");
  list = null;
  document.getElementById("inspect")?.focus();
}

function forget() {
  since = Math.max(since, ...entries.keys());
  entries.clear();
  rows.clear();
  draw();
}

async function load() {
  if (!list) return;
  const last = Math.max(0, ...entries.keys());
  try {
    const found = (await look("inspector", { since: Math.max(since, last - AGAIN) })).entries;
    for (const entry of found.slice(-KEPT)) entries.set(entry.id, entry);
    for (const id of [...entries.keys()].slice(0, Math.max(0, entries.size - KEPT))) entries.delete(id);
    draw();
  } catch (error) {
    notice(error.message, "error");
  }
}

function draw() {
  if (!list) return;
  const all = [...entries.values()];
  const acks = new Map(all.filter(({ kind }) => kind === "ack").map((entry) => [entry.of, entry]));
  const shown = all.filter(({ kind }) => kind !== "ack").reverse();
  const kept = shown.map((entry) => row(entry, acks.get(entry.id))).filter(Boolean);
  list.replaceChildren(...(kept.length ? kept : [h("li", { class: "empty" }, words ? "No matches." : "No traffic yet.")]));
}

// A row is drawn once for each state of its entry, so that what was opened stays open.
function row(entry, ack) {
  const text = JSON.stringify([entry, ack]);
  if (words && !text.toLowerCase().includes(words)) return null;
  const known = rows.get(entry.id);
  if (known?.text === text) return known.node;
  const node = drawn(entry, ack);
  rows.set(entry.id, { text, node });
  return node;
}

function drawn(entry, ack) {
  const { arrow, name, detail, state, bad, body } = (KINDS[entry.kind] ?? other)(entry, ack);
  const details = h("details", { class: `entry kind-${entry.kind} ${bad ? "bad" : ""}` });
  details.append(
    h("summary", {}, h("time", {}, timeWithSeconds(entry.at)), h("span", { class: "arrow", title: arrow === "→" ? "to the app" : "from the app" }, arrow), h("span", { class: "name" }, h("strong", {}, name), detail && h("small", {}, detail)), state && h("span", { class: "state" }, state)),
  );
  details.addEventListener("toggle", () => details.childElementCount === 1 && details.append(...body.map(([label, value]) => h("section", {}, h("h4", {}, label), json(value)))));
  return h("li", {}, details);
}

const KINDS = { call, envelope, response_url: responded, socket, note };

function call(entry) {
  const { args, status, ok, error, ms, app } = entry;
  const took = ms ? ` ${Math.max(1, Math.round(ms))} ms` : "";
  const state = status === null ? "…" : `${ok ? status : `${status} ${error ?? ""}`}${took}`;
  const detail = args?.channel ?? args?.channel_id ?? args?.user_id;
  return { arrow: "←", name: entry.method, detail, state, bad: ok === false, body: [["Arguments", args], ["Answer", { status, ok, error, ms, app }]] };
}

function envelope(entry, ack) {
  const payload = entry.payload ?? {};
  const name = payload.event?.type ?? payload.command ?? payload.type ?? entry.type;
  const { event } = payload;
  const what = payload.actions?.[0]?.action_id ?? payload.callback_id ?? payload.view?.callback_id ?? payload.text ?? event?.reaction ?? event?.subtype;
  const where = event?.channel ?? event?.item?.channel ?? payload.channel?.id ?? payload.channel_id;
  const detail = [what, where, entry.retry_attempt && `retry ${entry.retry_attempt}`].filter(Boolean).join(" · ");
  const state = ack ? `${ack.ok ? "ack" : ack.error ?? "no ack"} ${Math.round(ack.ms)} ms` : "waiting";
  const answer = ack ? [["Acknowledgement", { ok: ack.ok, status: ack.status, ms: ack.ms, error: ack.error, response: ack.response }]] : [];
  return { arrow: "→", name, detail, state, bad: ack && !ack.ok, body: [...answer, ["Payload", payload]] };
}

function responded(entry) {
  return { arrow: "←", name: "response_url", detail: entry.error, state: String(entry.status), bad: entry.status !== 200, body: [["Body", entry.body]] };
}

function socket(entry) {
  return { arrow: "⇄", name: "socket", detail: entry.app, state: `${entry.what} #${entry.socket}`, body: [["Everything", entry]] };
}

function note(entry) {
  return { arrow: "·", name: "note", detail: entry.text, body: [["Everything", entry]] };
}

function other(entry) {
  return { arrow: "·", name: entry.kind, body: [["Everything", entry]] };
}

on("inspector", () => {
  if (!list) return;
  clearTimeout(timer);
  timer = setTimeout(load, PAUSE_MS);
});
pane.addEventListener("keydown", (event) => event.key === "Escape" && close());
