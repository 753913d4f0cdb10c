// Lists that float above everything, dialogs included: the browser's top layer, placed beside what opened them.

import { h } from "./dom.js";

const EDGE = 8; // pixels kept free at the window's edges

export function float(box, anchor, { wide = false, end = false } = {}) {
  const room = anchor.getBoundingClientRect();
  if (wide) box.style.minWidth = `${room.width}px`;
  box.style.maxHeight = "";
  const size = box.getBoundingClientRect();
  const below = innerHeight - room.bottom - EDGE;
  const above = room.top - EDGE;
  const up = size.height > below && above > below;
  const left = end ? room.right - size.width : room.left;
  box.style.maxHeight = `${Math.max(120, (up ? above : below) - 4)}px`;
  box.style.left = `${Math.max(EDGE, Math.min(left, innerWidth - size.width - EDGE))}px`;
  box.style.top = up ? "auto" : `${room.bottom + 4}px`;
  box.style.bottom = up ? `${innerHeight - room.top + 4}px` : "auto";
}

// A box beside `anchor` that goes at Escape or a click elsewhere; resolves nothing, calls `closed` once gone.
export function popup(anchor, properties, children, { closed = () => {}, ...where } = {}) {
  const box = h("div", { popover: "auto", ...properties, class: `popup ${properties.class ?? ""}` }, children);
  (anchor.closest("dialog") ?? document.body).append(box);
  box.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    box.remove();
    anchor.setAttribute("aria-expanded", "false");
    closed();
  });
  anchor.setAttribute("aria-expanded", "true");
  box.showPopover();
  float(box, anchor, where);
  return box;
}
