// What is around the messages: people, channels, apps, open modals; read anew whenever the stream says so.

import { look, me } from "./control.js";

export const workspace = { me: null, channels: [], people: [], apps: [], views: [], team: {}, welcome: "" };
const listeners = new Set();
let asked = null;
let again = false;

export function onWorkspace(listener) {
  listeners.add(listener);
}

// Several wishes while one is on its way become one more.
export async function refresh() {
  if (asked) {
    again = true;
    return asked;
  }
  asked = look("state")
    .then((state) => {
      Object.assign(workspace, state);
      for (const listener of listeners) listener(workspace);
    })
    .finally(() => {
      asked = null;
      if (again) {
        again = false;
        refresh().catch(() => {});
      }
    });
  return asked;
}

export function personOf(id) {
  return workspace.people.find((each) => each.id === id);
}

export function nameOf(id) {
  return personOf(id)?.real_name ?? id;
}

export function appOf(id) {
  return workspace.apps.find((each) => each.id === id);
}

export function channelOf(reference) {
  const named = workspace.channels.find((each) => each.kind !== "im" && each.name === reference);
  return workspace.channels.find((each) => each.id === reference) ?? named;
}

// The direct messages with an app exist from the first time it is opened.
export function directWith(app) {
  return workspace.channels.find((each) => each.kind === "im" && each.members.includes(app.bot_user));
}

export function isMe(id) {
  return id === me;
}
