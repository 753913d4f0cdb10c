// Block Kit, a block a function. What is not known here is shown as its JSON, never left out.

import { alertBox, card, carousel, container, plan, taskCard } from "./cards.js";
import { chart } from "./chart.js";
import { h, link } from "./dom.js";
import { element } from "./elements.js";
import { input } from "./inputs.js";
import { unknown } from "./json.js";
import { markdown } from "./markdown.js";
import { linked, picture } from "./pictures.js";
import { richText } from "./richtext.js";
import { dataTable, table } from "./tables.js";
import { text } from "./texts.js";

export function blocks(place, given) {
  return given.map((block) => {
    const drawn = (BLOCKS[block?.type] ?? ((_, other) => unknown(other)))(place, block);
    drawn.classList.add("block", `block-${block?.type ?? "unknown"}`);
    return drawn;
  });
}

const BLOCKS = {
  section,
  header: (_, block) => h("h3", {}, text(block.text)),
  divider: () => h("hr"),
  context,
  actions: (place, block) => h("div", { class: "row" }, (block.elements ?? []).map((each) => element(place, block, each))),
  context_actions: (place, block) => h("div", { class: "row" }, (block.elements ?? []).map((each) => element(place, block, each))),
  image,
  input,
  rich_text: (_, block) => richText(block),
  markdown: (_, block) => h("div", {}, markdown(block.text ?? "")),
  table: (_, block) => table(block),
  data_table: (_, block) => dataTable(block),
  data_visualization: (_, block) => chart(block),
  alert: (_, block) => alertBox(block),
  card: (place, block) => card(place, block),
  carousel: (place, block) => carousel(place, block),
  container: (place, block) => container(place, block, blocks),
  task_card: (_, block) => taskCard(block),
  plan: (_, block) => plan(block),
  video,
};

function section(place, block) {
  const fields = (block.fields ?? []).map((each) => h("div", {}, text(each)));
  const body = h(
    "div",
    { class: "section-text" },
    block.text && h("div", {}, text(block.text)),
    fields.length > 0 && h("div", { class: "fields" }, fields),
  );
  const accessory = block.accessory && h("div", { class: "accessory" }, element(place, block, block.accessory));
  return h("div", { class: block.accessory?.type === "image" ? "with-image" : "" }, body, accessory);
}

function context(_, block) {
  const shown = (each) => (each.type === "image" ? picture(each, "tiny") : text(each));
  return h("div", {}, (block.elements ?? []).map((each) => h("span", { class: "context-part" }, shown(each))));
}

function image(_, block) {
  const title = block.title && h("figcaption", {}, text(block.title));
  return h("figure", {}, title, linked(block));
}

function video(_, block) {
  const poster = picture({ image_url: block.thumbnail_url, alt_text: block.alt_text });
  return h("figure", {}, h("figcaption", {}, link(block.title_url ?? block.video_url, text(block.title))), link(block.video_url, poster), block.description && h("p", {}, text(block.description)));
}
