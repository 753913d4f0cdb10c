// The row of reactions below a message: one's own are marked, a click adds or takes back.

import { act } from "./control.js";
import { h } from "./dom.js";
import { sign } from "./emoji.js";
import { icon } from "./icons.js";
import { trying } from "./notices.js";
import { pickEmoji } from "./picker.js";
import { isMe, nameOf } from "./workspace.js";

export function reactions(message) {
  const all = Object.entries(message.reactions);
  if (!all.length) return null;
  const more = h(
    "button",
    { type: "button", class: "reaction add", "aria-label": "Add a reaction", onclick: (event) => pickEmoji(event.currentTarget, (name) => toggle(message, name)) },
    icon("smile"),
  );
  return h("div", { class: "reactions" }, all.map(([name, people]) => one(message, name, people)), more);
}

function one(message, name, people) {
  const mine = people.some(isMe);
  const who = people.map((id) => (isMe(id) ? "you" : nameOf(id))).join(", ");
  const label = `${name.replaceAll("_", " ")}: ${who}`;
  return h(
    "button",
    {
      type: "button", class: `reaction ${mine ? "mine" : ""}`, "aria-pressed": String(mine), "aria-label": label, title: `:${name}: – ${who}`,
      dataset: { focus: `${message.ts}|:${name}:`, reaction: name }, onclick: () => toggle(message, name),
    },
    h("span", { class: "emoji", "aria-hidden": "true" }, sign(name) ?? `:${name}:`),
    h("span", { class: "count" }, String(people.length)),
  );
}

// An app's failure to receive a reaction appears in the inspector only: in Slack, people do not see it either.
export async function toggle(message, name) {
  const remove = (message.reactions[name] ?? []).some(isMe);
  const request = act("react", { channel: message.channel, ts: message.ts, name, remove });
  await trying(request.then(() => null));
}
