// Faces made from initials; apps have a square one with a spark.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { personOf, workspace } from "./workspace.js";

const TINTS = 8;

export function avatar(id, size = "") {
  const person = personOf(id);
  const properties = { class: `avatar ${size} tint-${tint(id)}`, "aria-hidden": "true" };
  if (person?.is_bot) return h("span", { ...properties, class: `avatar bot ${size}` }, icon("bolt"));
  return h("span", properties, initials(person?.real_name ?? id));
}

export function initials(name) {
  const words = name.split(/[\s_-]+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words.length ? words : ["?"];
  return letters.map((word) => [...word][0].toUpperCase()).join("");
}

// By a person's place in the workspace: neighbours differ.
function tint(id) {
  return Math.max(0, workspace.people.findIndex((each) => each.id === id)) % TINTS;
}
