// Where one is: /as/<person>/<channel or app>?thread=<ts>&ts=<message>&tab=messages

const listeners = new Set();

export function here() {
  const [, , person, place] = location.pathname.split("/").map(decodeURIComponent);
  const query = new URLSearchParams(location.search);
  return { person, place, thread: query.get("thread"), ts: query.get("ts"), tab: query.get("tab") };
}

export function address(place, { person = here().person, thread, ts, tab } = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ thread, ts, tab })) if (value) query.set(name, value);
  const path = `/as/${encodeURIComponent(person)}${place ? `/${encodeURIComponent(place)}` : ""}`;
  return query.size ? `${path}?${query}` : path;
}

export function go(place, more = {}, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", address(place, more));
  arrive();
}

export function onRoute(listener) {
  listeners.add(listener);
}

export function arrive() {
  for (const listener of listeners) listener(here());
}

// A plain click on a link of this page stays in it; with a modifier it is the browser's.
export function stay(event, place, more = {}) {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(place, more);
}

window.addEventListener("popstate", arrive);
