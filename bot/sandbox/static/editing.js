// Changing one's own message where it stands.

import { act } from "./control.js";
import { h } from "./dom.js";
import { outgoing, readable } from "./outgoing.js";
import { trying } from "./notices.js";

export function editing(article, message) {
  const matter = article.querySelector(".text");
  if (!matter) return;
  const area = h("textarea", { rows: "3", "aria-label": "Edit message", value: readable(message.text) });
  const stop = () => box.replaceWith(matter);
  const save = async () => {
    const text = outgoing(area.value);
    if (!text || text === message.text) return stop();
    if (await trying(act("edit", { channel: message.channel, ts: message.ts, text }))) stop();
  };
  const box = h(
    "div",
    { class: "editing" },
    area,
    h("div", { class: "row end" }, h("button", { type: "button", class: "button", onclick: stop }, "Cancel"), h("button", { type: "button", class: "button primary", onclick: save }, "Save")),
  );
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") stop();
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      save();
    }
  });
  matter.replaceWith(box);
  area.focus();
}
