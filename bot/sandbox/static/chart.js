// The data_visualization block as a table of its numbers with bars: exact, and readable without colours.

import { h } from "./dom.js";
import { json } from "./json.js";
import { words } from "./texts.js";

export function chart(block) {
  const series = block.chart?.series ?? block.series ?? [];
  const segments = block.chart?.segments ?? block.segments;
  const rows = segments ? segments.map((each) => [words(each.label), each.value]) : series.flatMap(points);
  const most = Math.max(...rows.map(([, value]) => Math.abs(Number(value) || 0)), 1e-9);
  const row = ([label, value]) => {
    const bar = h("span", { class: "bar" });
    bar.style.width = `${(100 * Math.abs(Number(value) || 0)) / most}%`;
    return h("tr", {}, h("th", { scope: "row" }, label), h("td", {}, String(value)), h("td", { class: "bars", "aria-hidden": "true" }, bar));
  };
  const body = rows.length ? h("table", {}, h("tbody", {}, rows.map(row))) : json(block, null, false);
  return h("figure", { class: "chart" }, h("figcaption", {}, h("strong", {}, words(block.title))), body);
}

function points(series) {
  const name = words(series.name ?? series.label);
  return (series.data ?? series.points ?? []).map((each) => [`${name} ${words(each.label ?? each.x)}`.trim(), each.value ?? each.y]);
}
