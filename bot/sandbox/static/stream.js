// Server-sent events: small notes that something changed. After a break everything is asked for anew.

import { me } from "./control.js";

const KINDS = ["message", "changed", "deleted", "reaction", "ephemeral", "view", "home", "channel", "read", "inspector"];
const HIDDEN_MS = 60_000; // browsers allow six connections to a host: hidden windows release theirs
const AGAIN_MS = 3000;
const listeners = new Map();
let source = null;
let resting = null;

export function on(kinds, listener) {
  for (const kind of [kinds].flat()) listeners.set(kind, [...(listeners.get(kind) ?? []), listener]);
}

function tell(kind, what = {}) {
  for (const listener of listeners.get(kind) ?? []) listener(what, kind);
}

export function listen() {
  source = new EventSource(`/control/stream?person=${encodeURIComponent(me)}`);
  source.addEventListener("ready", () => tell("ready"));
  source.addEventListener("error", () => {
    tell("broken");
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MS); // refused: the browser itself gives up
  });
  for (const kind of KINDS) source.addEventListener(kind, (event) => tell(kind, JSON.parse(event.data)));
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(resting);
  if (document.hidden) resting = setTimeout(() => source?.close(), HIDDEN_MS);
  else if (source?.readyState === EventSource.CLOSED) listen();
});
window.addEventListener("pagehide", () => source?.close());
