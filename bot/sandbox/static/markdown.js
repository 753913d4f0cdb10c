// Standard Markdown, as the `markdown` block has it: headings, lists, tables, code, quotes, links, emphasis.

import { h, link } from "./dom.js";
import { emoji } from "./emoji.js";

const BULLET = /^(\s*)([-*+]|\d+[.)])\s+(.*)$/;
const INLINE = [
  [/^\\([\\`*_{}[\]()#+\-.!|~>])/, (found) => found[1]],
  [/^(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/, (found) => h("code", {}, found[2].trim())],
  [/^!\[([^\]]*)\]\((\S+?)(?:\s+"[^"]*")?\)/, (found) => link(found[2], found[1] || found[2])],
  [/^\[([^\]]+)\]\((\S+?)(?:\s+"[^"]*")?\)/, (found) => link(found[2], inline(found[1]))],
  [/^<(https?:[^>\s]+|mailto:[^>\s]+)>/, (found) => link(found[1], found[1])],
  [/^(\*\*\*|___)(?=\S)([\s\S]*?\S)\1/, (found) => h("strong", {}, h("em", {}, inline(found[2])))],
  [/^(\*\*|__)(?=\S)([\s\S]*?\S)\1/, (found) => h("strong", {}, inline(found[2]))],
  [/^([*_])(?=\S)([^*_]*?\S)\1(?![\p{L}\p{N}])/u, (found) => h("em", {}, inline(found[2]))],
  [/^~~(?=\S)([\s\S]*?\S)~~/, (found) => h("s", {}, inline(found[1]))],
  [/^:([a-z0-9_+'-]+):/, (found) => emoji(found[1])],
  [/^https?:\/\/[^\s<>)]+/, (found) => link(found[0], found[0])],
  [/^ {2,}\n/, () => h("br")],
];

export function markdown(source) {
  const rows = source.replaceAll("\r\n", "\n").split("\n");
  const nodes = [];
  while (rows.length) {
    const kind = KINDS.find(({ starts }) => starts(rows));
    if (kind) nodes.push(kind.take(rows));
    else rows.shift();
  }
  return nodes;
}

const KINDS = [
  { starts: ([row]) => /^\s*(```|~~~)/.test(row), take: fenced },
  { starts: ([row]) => /^#{1,6}\s/.test(row), take: heading },
  { starts: ([row]) => /^\s*([-*_])(\s*\1){2,}\s*$/.test(row), take: (rows) => (rows.shift(), h("hr")) },
  { starts: ([row]) => /^\s*>/.test(row), take: quote },
  { starts: ([row, next]) => row.includes("|") && /^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$/.test(next ?? ""), take: table },
  { starts: ([row]) => BULLET.test(row), take: list },
  { starts: ([row]) => row.trim() !== "", take: paragraph },
];

function takeWhile(rows, goes) {
  const taken = [];
  while (rows.length && goes(rows[0], taken)) taken.push(rows.shift());
  return taken;
}

function fenced(rows) {
  const fence = /(```+|~~~+)/.exec(rows.shift())[0];
  const taken = takeWhile(rows, (row) => !row.trim().startsWith(fence));
  rows.shift();
  return h("pre", {}, taken.join("\n"));
}

function heading(rows) {
  const [, marks, words] = /^(#+)\s+(.*?)\s*#*$/.exec(rows.shift());
  return h(`h${Math.min(6, marks.length + 2)}`, { class: `heading level-${marks.length}` }, inline(words));
}

function quote(rows) {
  const taken = takeWhile(rows, (row) => /^\s*>/.test(row));
  return h("blockquote", {}, markdown(taken.map((row) => row.replace(/^\s*>\s?/, "")).join("\n")));
}

function paragraph(rows) {
  const ends = (row) => row.trim() === "" || KINDS.slice(0, -1).some(({ starts }) => starts([row]));
  return h("p", {}, inline(takeWhile(rows, (row, taken) => !taken.length || !ends(row)).join("\n")));
}

function list(rows) {
  const [, indent, mark] = BULLET.exec(rows[0]);
  const ordered = /\d/.test(mark);
  const made = h(ordered ? "ol" : "ul", ordered ? { start: parseInt(mark, 10) } : {});
  const mine = (row) => BULLET.exec(row)?.[1].length === indent.length;
  while (rows.length && mine(rows[0])) {
    const words = BULLET.exec(rows.shift())[3];
    const task = /^\[([ xX])\]\s+(.*)$/.exec(words);
    const item = h("li", {}, task ? [task[1] === " " ? "☐ " : "☑ ", inline(task[2])] : inline(words));
    const deeper = takeWhile(rows, (row) => /^\s+\S/.test(row) && row.search(/\S/) > indent.length);
    if (deeper.length) item.append(...markdown(dedent(deeper)));
    made.append(item);
  }
  return made;
}

function dedent(rows) {
  const least = Math.min(...rows.map((row) => row.search(/\S/)));
  return rows.map((row) => row.slice(least)).join("\n");
}

function table(rows) {
  const cells = (row) => row.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
  const head = cells(rows.shift());
  const sides = cells(rows.shift()).map((rule) => (/^:.*:$/.test(rule) ? "center" : rule.endsWith(":") ? "right" : "left"));
  const body = takeWhile(rows, (row) => row.includes("|")).map(cells);
  const drawn = (tag, row) => h("tr", {}, row.map((cell, index) => h(tag, { class: `side-${sides[index] ?? "left"}` }, inline(cell))));
  const made = h("table", {}, h("thead", {}, drawn("th", head)), h("tbody", {}, body.map((row) => drawn("td", row))));
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Table" }, made);
}

function inline(text) {
  const nodes = [];
  let at = 0;
  let plain = "";
  while (at < text.length) {
    const rest = text.slice(at);
    const inWord = /[\p{L}\p{N}]/u.test(text[at - 1] ?? "") && (rest[0] === "_" || rest[0] === "h");
    const hit = inWord ? null : INLINE.map(([pattern, draw]) => ({ found: pattern.exec(rest), draw })).find(({ found }) => found);
    const node = hit && hit.draw(hit.found);
    if (node) {
      nodes.push(plain, node);
      plain = "";
      at += hit.found[0].length;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  return [...nodes, plain].filter((node) => node !== "");
}
