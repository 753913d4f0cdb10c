// The sidebar: the current person, channels, apps with their direct messages, and the other people to act as.

import { avatar } from "./avatars.js";
import { h, keepFocus } from "./dom.js";
import { icon } from "./icons.js";
import { popup } from "./floating.js";
import { closed, opened } from "./panes.js";
import { address, here, onRoute, stay } from "./route.js";
import { themeButton } from "./themebutton.js";
import { channelOf, directWith, isMe, onWorkspace, workspace } from "./workspace.js";

const box = document.getElementById("sidebar");
const FACES = 6; // shown at once; the rest are in the list
let joinable = false; // whether the channels one is not in are unfolded

function draw() {
  if (!workspace.me) return;
  keepFocus(box, () => box.replaceChildren(top(), places(), others()));
  const unread = workspace.channels.reduce((sum, { unread: count }) => sum + count, 0);
  const place = channelOf(here().place);
  document.title = `${unread ? `(${unread}) ` : ""}${place ? `#${place.name} – ` : ""}${workspace.me.real_name}`;
}

function top() {
  return h("header", { class: "side-head" }, h("a", { href: "/", class: "team", title: "Back to the list of people" }, h("img", { src: "/static/icon.svg", alt: "", width: "24", height: "24" }), workspace.team.name), themeButton(), h("button", { type: "button", class: "icon-button only-narrow", "aria-label": "Close the sidebar", onclick: closeSidebar }, icon("close")));
}

function places() {
  const channels = workspace.channels.filter(({ kind }) => kind !== "im");
  const mine = channels.filter(({ is_member: member }) => member);
  const rest = channels.filter(({ is_member: member }) => !member);
  return h(
    "nav",
    { class: "places", "aria-label": "Channels and apps" },
    h("h2", {}, "Channels"),
    h("ul", {}, mine.map(channelRow)),
    rest.length > 0 && more(rest),
    h("h2", {}, "Apps"),
    h("ul", {}, workspace.apps.map(appRow)),
  );
}

function more(rest) {
  const unfolded = joinable || rest.some(({ id, name }) => [id, name].includes(here().place));
  const summary = h("summary", { dataset: { focus: "more to join" } }, `${rest.length} more to join`);
  const details = h("details", { class: "rest", open: unfolded }, summary, h("ul", {}, rest.map(channelRow)));
  details.addEventListener("toggle", () => {
    joinable = details.open;
  });
  return details;
}

function channelRow(channel) {
  const current = [channel.id, channel.name].includes(here().place);
  return row({ place: channel.name, current, unread: channel.unread, label: channel.name, before: icon(channel.kind === "private" ? "lock" : "hash"), faint: channel.archived, after: channel.archived ? "archived" : null });
}

function appRow(app) {
  const direct = directWith(app);
  const unread = direct?.unread ?? 0;
  const connected = app.sockets || app.request_url;
  const after = connected ? null : "not connected";
  const current = [app.id, app.name, direct?.id].includes(here().place);
  return row({ place: app.id, more: unread ? { tab: "messages" } : {}, current, unread, label: app.name, before: avatar(app.bot_user, "tiny"), after });
}

function row({ place, more = {}, current, unread, label, before, after, faint }) {
  const marks = unread > 0 && h("span", { class: "unread" }, String(unread), h("span", { class: "hidden" }, " unread"));
  const open = (event) => {
    closeSidebar();
    stay(event, place, more);
  };
  return h(
    "li",
    {},
    h(
      "a",
      { href: address(place, more), class: `place ${unread ? "has-unread" : ""} ${faint ? "faint" : ""}`, "aria-current": current ? "page" : null, dataset: { focus: `place|${place}` }, onclick: open },
      before,
      h("span", { class: "label" }, label),
      after && h("span", { class: "after" }, after),
      marks,
    ),
  );
}

function actors() {
  return workspace.people.filter((person) => !person.is_bot && !person.deleted);
}

// The same place as another person: one click.
function others() {
  const people = actors();
  const shown = people.slice(0, FACES);
  if (!shown.some(({ id }) => isMe(id))) shown.splice(-1, 1, people.find(({ id }) => isMe(id)));
  const face = (person) => h("a", { href: as(person), class: "face-link", title: `Act as ${person.real_name}`, "aria-label": `Act as ${person.real_name}`, "aria-current": isMe(person.id) ? "true" : null, dataset: { focus: `as|${person.id}` } }, avatar(person.id, "small"));
  const all = h("button", { type: "button", class: "icon-button", "aria-label": "All people", title: "All people, and other windows", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: (event) => everybody(event.currentTarget) }, icon("more"));
  return h(
    "section",
    { class: "acting", "aria-label": "Act as" },
    h("p", { class: "me" }, avatar(workspace.me.id), h("span", {}, h("small", {}, "You are"), h("strong", {}, workspace.me.real_name))),
    h("div", { class: "faces-row" }, shown.filter(Boolean).map(face), all),
  );
}

function as(person) {
  const { place, tab } = here();
  return address(place, { person: person.name, tab });
}

function everybody(anchor) {
  const field = h("input", { type: "search", placeholder: "Find a person", "aria-label": "Find a person" });
  const list = h("ul", {});
  const fill = () => {
    const wanted = field.value.toLowerCase();
    const found = actors().filter((each) => `${each.real_name} ${each.name}`.toLowerCase().includes(wanted));
    list.replaceChildren(...found.map(personRow));
  };
  field.addEventListener("input", fill);
  field.addEventListener("keydown", (event) => event.key === "Enter" && list.querySelector("a")?.click());
  fill();
  popup(anchor, { class: "members", role: "dialog", "aria-label": "Act as" }, [h("h3", {}, "Act as"), field, list]);
  field.focus();
}

function personRow(person) {
  const role = person.is_admin ? "admin" : person.is_restricted ? "guest" : person.is_stranger ? "external" : null;
  const window = h("a", { href: as(person), target: "_blank", rel: "noopener", class: "icon-button", "aria-label": `Act as ${person.real_name} in another window`, title: "In another window" }, icon("window"));
  return h("li", {}, h("a", { href: as(person), class: "who" }, avatar(person.id, "small"), h("span", {}, person.real_name), role && h("span", { class: "badge" }, role), isMe(person.id) && h("span", { class: "badge" }, "you")), window);
}

export function openSidebar() {
  document.body.classList.add("sidebar-open");
  opened(box);
  box.querySelector("a, button")?.focus();
}

export function closeSidebar() {
  document.body.classList.remove("sidebar-open");
  closed(box);
}

document.getElementById("scrim").addEventListener("click", closeSidebar);
box.addEventListener("keydown", (event) => event.key === "Escape" && closeSidebar());
onWorkspace(draw);
onRoute(draw);
