// The line above the middle pane: the way to the sidebar on a phone, a title, tools, and the inspector's switch.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { toggleInspector } from "./inspector.js";
import { openSidebar } from "./sidebar.js";

export function headOf({ title, note = "", tools = [], tabs = null }) {
  return h(
    "header",
    { class: "pane-head" },
    h("button", { type: "button", class: "icon-button only-narrow", "aria-label": "Open the sidebar", onclick: openSidebar }, icon("menu")),
    h("div", { class: "titles" }, h("h1", {}, title), note && h("span", { class: "faint topic" }, note)),
    tabs,
    h("div", { class: "row tools" }, tools, h("button", { type: "button", class: "icon-button", id: "inspect", "aria-label": "Inspector", title: "Traffic between Slack and the apps", "aria-controls": "inspector", onclick: toggleInspector }, icon("inspect"))),
  );
}
