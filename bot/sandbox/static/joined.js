// What the channel shows of a person whom another one added to it.

import { h } from "./dom.js";
import { channelOf, nameOf } from "./workspace.js";

export function joined(message) {
  const words = `was added to #${channelOf(message.channel)?.name} by ${nameOf(message.inviter)}.`;
  return h("div", { class: "text faint" }, words);
}
