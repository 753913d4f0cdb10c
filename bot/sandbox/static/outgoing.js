// What people type, as Slack stores it: escaped, with mentions, channels and links as tokens; and back for editing.

import { channelOf, nameOf, workspace } from "./workspace.js";

const BROADCASTS = ["here", "channel", "everyone"];

export function outgoing(typed) {
  const escaped = typed.trim().replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const quoted = escaped.replace(/^&gt;/gm, "&gt;");
  return quoted.split(/(```[\s\S]*?```|`[^`\n]+`)/).map((part, index) => (index % 2 ? part : tokens(part))).join("");
}

function tokens(text) {
  const linked = text.replace(/(^|[\s(])(https?:\/\/[^\s<>]+?)(?=[.,;:!?)]*(\s|$))/g, "$1<$2>");
  const parts = linked.split(/(<[^>]+>)/);
  return parts.map((part, index) => (index % 2 ? part : names(part))).join("");
}

// The longest name that fits wins: "@ana maria" before "@ana".
function names(text) {
  const people = workspace.people.flatMap((person) => [[person.real_name, person.id], [person.name, person.id]]);
  people.sort(([one], [other]) => other.length - one.length);
  return text
    .replace(/(^|[^\p{L}\p{N}@])@(\S[^@#\n]*)/gu, (whole, before, rest) => {
      const cast = BROADCASTS.find((each) => new RegExp(`^${each}\\b`).test(rest));
      if (cast) return `${before}<!${cast}>${rest.slice(cast.length)}`;
      const found = people.find(([name]) => rest.toLowerCase().startsWith(name.toLowerCase()) && !/^[\p{L}\p{N}]/u.test(rest.slice(name.length)));
      return found ? `${before}<@${found[1]}>${rest.slice(found[0].length)}` : whole;
    })
    .replace(/(^|[\s(])#([\p{L}\p{N}_-]+)/gu, (whole, before, name) => {
      const found = workspace.channels.find((each) => each.kind !== "im" && each.name === name);
      return found ? `${before}<#${found.id}|${name}>` : whole;
    });
}

export function readable(text) {
  return text
    .replace(/<@([^|>]+)(\|[^>]*)?>/g, (_, id) => `@${nameOf(id)}`)
    .replace(/<#([^|>]+)(?:\|([^>]*))?>/g, (_, id, name) => `#${channelOf(id)?.name ?? name ?? id}`)
    .replace(/<!(\w+)(\|[^>]*)?>/g, "@$1")
    .replace(/<([^|>]+)(\|[^>]*)?>/g, "$1")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
