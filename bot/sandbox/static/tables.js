// The table block and the data_table block, which sorts and pages.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { richText } from "./richtext.js";
import { text } from "./texts.js";

function cell(given) {
  if (given?.type === "rich_text") return richText(given);
  if (given?.type === "raw_number") return given.text ?? String(given.value ?? "");
  if (given?.type === "mrkdwn") return text(given);
  return given?.text ?? String(given?.value ?? "");
}

function scrolling(label, made) {
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label }, made);
}

export function table(block) {
  const settings = block.column_settings ?? [];
  const properties = (index) => ({ class: `side-${settings[index]?.align ?? "left"} ${settings[index]?.is_wrapped ? "wrapped" : ""}` });
  const [head, ...body] = block.rows ?? [];
  const row = (tag, cells) => h("tr", {}, cells.map((each, index) => h(tag, properties(index), cell(each))));
  return scrolling("Table", h("table", {}, h("thead", {}, row("th", head ?? [])), h("tbody", {}, body.map((each) => row("td", each)))));
}

export function dataTable(block) {
  const [head, ...body] = block.rows ?? [];
  const size = block.page_size ?? 5;
  const state = { page: 0, by: null, up: true };
  const box = h("div", { class: "data-table" });
  const draw = () => {
    const rows = sorted(body, state);
    const shown = rows.slice(state.page * size, (state.page + 1) * size);
    const named = block.row_header_column_index;
    const columns = (head ?? []).map((each, index) => h("th", { scope: "col", "aria-sort": direction(state, index) }, sorter(each, index)));
    const lines = shown.map((row) => h("tr", {}, row.map((each, index) => h(index === named ? "th" : "td", index === named ? { scope: "row" } : {}, cell(each)))));
    const made = h("table", {}, h("caption", {}, text(block.caption)), h("thead", {}, h("tr", {}, columns)), h("tbody", {}, lines));
    box.replaceChildren(scrolling("Table", made), pages(rows.length));
  };
  const sorter = (each, index) => {
    const sort = () => {
      Object.assign(state, { by: index, up: state.by === index ? !state.up : true, page: 0 });
      draw();
    };
    return h("button", { type: "button", class: "bare", onclick: sort }, cell(each), state.by === index ? (state.up ? " ↑" : " ↓") : "");
  };
  const pages = (count) => {
    const last = Math.max(0, Math.ceil(count / size) - 1);
    const turn = (step) => () => {
      state.page += step;
      draw();
    };
    const button = (label, step, off) => h("button", { type: "button", class: "icon-button", "aria-label": label, disabled: off, onclick: turn(step) }, icon(step < 0 ? "back" : "chevron"));
    return last > 0 && h("div", { class: "row pages" }, button("Previous page", -1, state.page === 0), `${state.page + 1} of ${last + 1}`, button("Next page", 1, state.page === last));
  };
  draw();
  return box;
}

function direction(state, index) {
  if (state.by !== index) return "none";
  return state.up ? "ascending" : "descending";
}

function sorted(rows, { by, up }) {
  if (by === null) return rows;
  const worth = (row) => row[by]?.value ?? String(cell(row[by]));
  const order = (one, other) => (typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other), undefined, { numeric: true }));
  return [...rows].sort((one, other) => order(worth(one), worth(other)) * (up ? 1 : -1));
}
