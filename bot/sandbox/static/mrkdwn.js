// Slack's own markup, to nodes. docs.slack.dev messaging/formatting-message-text.
//
// Text is scanned once; what is not understood stays as it was written. Nothing here makes HTML from text.

import { dated, full } from "./dates.js";
import { h, link } from "./dom.js";
import { emoji } from "./emoji.js";
import { go } from "./route.js";
import { channelOf, isMe, nameOf } from "./workspace.js";

const STYLES = { "*": "strong", _: "em", "~": "s" };
const BLANK = /^[\s\u200b]?$/u; // the zero-width space counts as one: apps break marks with it
const WORD = /[\p{L}\p{N}]/u;
const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
const TOKEN = /^<([@#!][^<>\n]+|[a-z][a-z0-9+.-]*:[^<>\n]+)>/i; // anything else between < and > is text
const LIST = /^(\s*)(•|◦|▪︎|-|\d+\.)\s+/;

export function unescape(text) {
  return text.replace(/&(amp|lt|gt);/g, (entity) => ENTITIES[entity]);
}

export function mrkdwn(text, { verbatim = false } = {}) {
  const parts = text.split(/```([\s\S]+?)```/);
  return parts.flatMap((part, index) => {
    if (index % 2) return [h("pre", {}, plainTokens(part.replace(/^\n|\n$/g, "")))];
    const trimmed = index ? part.replace(/^\n/, "") : part;
    return lines(trimmed, { verbatim });
  });
}

function lines(text, options) {
  const nodes = [];
  let quote = null;
  let rest = false;
  const rows = text.split("\n");
  rows.forEach((row, index) => {
    const everything = /^(&gt;|>){3}/.exec(row);
    const quoted = rest ? row : everything ? row.slice(everything[0].length) : /^(?:&gt;|>)\s?(.*)$/s.exec(row)?.[1];
    rest ||= Boolean(everything);
    if (quoted !== undefined) {
      if (quote) quote.append(h("br"));
      else nodes.push((quote = h("blockquote")));
      quote.append(...inline(quoted.trimStart(), options));
      return;
    }
    const previous = nodes.at(-1);
    if (index && !quote && !isBlock(previous)) nodes.push(h("br"));
    quote = null;
    const item = LIST.exec(row);
    if (item) {
      if (nodes.at(-1)?.nodeName === "BR") nodes.pop();
      const depth = Math.min(3, Math.floor(item[1].length / 2));
      const mark = h("span", { class: "bullet" }, item[2] === "-" ? "–" : item[2]);
      nodes.push(h("span", { class: `item depth-${depth}` }, mark, h("span", {}, inline(row.slice(item[0].length), options))));
    } else nodes.push(...inline(row, options));
  });
  return nodes;
}

function isBlock(node) {
  return node?.nodeName === "BLOCKQUOTE" || node?.className?.startsWith?.("item");
}

export function inline(text, options = {}) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (plain) nodes.push(plain);
    plain = "";
  };
  let at = 0;
  while (at < text.length) {
    const found = special(text, at, options);
    if (found) {
      flush();
      nodes.push(...[found.node].flat());
      at += found.length;
    } else {
      const entity = /^&(?:amp|lt|gt);/.exec(text.slice(at, at + 5))?.[0];
      plain += entity ? ENTITIES[entity] : text[at];
      at += entity?.length ?? 1;
    }
  }
  flush();
  return nodes;
}

function special(text, at, options) {
  const letter = text[at];
  if (letter === "<") return token(text, at);
  if (letter === "`") return code(text, at);
  if (letter in STYLES) return styled(text, at, options);
  if (letter === ":") return shortcode(text, at);
  if (letter === "h" && !options.verbatim) return bareUrl(text, at);
  return null;
}

function token(text, at) {
  const found = TOKEN.exec(text.slice(at));
  return found && { node: reference(found[1]), length: found[0].length };
}

function code(text, at) {
  const found = /^`([^`\n]+)`/.exec(text.slice(at));
  return found && { node: h("code", {}, plainTokens(found[1])), length: found[0].length };
}

function styled(text, at, options) {
  const mark = text[at];
  const before = text[at - 1] ?? "";
  if (WORD.test(before) || before === mark || BLANK.test(text[at + 1] ?? "") || text[at + 1] === mark) return null;
  const end = closing(text, at, mark);
  if (end < 0) return null;
  return { node: h(STYLES[mark], {}, inline(text.slice(at + 1, end), options)), length: end + 1 - at };
}

function closing(text, at, mark) {
  for (let index = at + 1; index < text.length && text[index] !== "\n"; index += 1) {
    const skipped = /^(?:<[^<>\n]+>|`[^`\n]+`)/.exec(text.slice(index));
    if (skipped) index += skipped[0].length - 1;
    else if (text[index] === mark && !BLANK.test(text[index - 1]) && !WORD.test(text[index + 1] ?? "")) {
      return index > at + 1 ? index : -1;
    }
  }
  return -1;
}

function shortcode(text, at) {
  const found = /^:([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):/.exec(text.slice(at));
  const node = found && emoji(found[1]);
  return node ? { node, length: found[0].length } : null;
}

function bareUrl(text, at) {
  if (WORD.test(text[at - 1] ?? "")) return null;
  const found = /^https?:\/\/[^\s<>|"]+/.exec(text.slice(at));
  if (!found) return null;
  const url = found[0].replace(/[.,;:!?)\]'*_~]+$/, "");
  return { node: link(unescape(url), unescape(url)), length: url.length };
}

// What stands between < and >.
function reference(inside) {
  const bar = inside.indexOf("|");
  const [target, label] = bar < 0 ? [inside, null] : [inside.slice(0, bar), unescape(inside.slice(bar + 1))];
  if (target.startsWith("@")) return mention(target.slice(1), label);
  if (target.startsWith("#")) return channel(target.slice(1), label);
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!subteam^")) return h("span", { class: "mention" }, label ?? `@${target.slice(9)}`);
  if (target.startsWith("!")) return broadcast(target.slice(1));
  return link(unescape(target), label ?? unescape(target).replace(/^mailto:/, ""));
}

export function mention(id, label = null) {
  const words = `@${label?.replace(/^@/, "") ?? nameOf(id)}`;
  return h("span", { class: isMe(id) ? "mention mine" : "mention" }, words);
}

export function broadcast(range) {
  return h("span", { class: "mention mine" }, `@${range.split("|")[0]}`);
}

export function channel(id, label = null) {
  const found = channelOf(id);
  const name = `#${found?.name ?? label ?? "private-channel"}`;
  if (!found) return h("span", { class: "mention" }, name);
  return h("button", { type: "button", class: "mention", onclick: () => go(found.id) }, name);
}

function date(target, label) {
  const [, seconds, format, url] = target.split("^");
  const words = /^\d+$/.test(seconds ?? "") && format ? dated(Number(seconds), unescape(format)) : label ?? target;
  const node = h("time", { title: full(Number(seconds) || 0) }, words);
  return url ? link(unescape(url), node) : node;
}

// Inside code nothing is formatted, but links and mentions are still read.
function plainTokens(text) {
  return text.split(/(<[^<>\n]+>)/).map((part) => (TOKEN.test(part) ? reference(part.slice(1, -1)) : unescape(part)));
}
