// Where one writes: slash commands, @people, #channels and :emoji: are completed while one types.

import { avatar } from "./avatars.js";
import { act } from "./control.js";
import { h, newId } from "./dom.js";
import { search } from "./emoji.js";
import { icon } from "./icons.js";
import { notice, trying } from "./notices.js";
import { outgoing } from "./outgoing.js";
import { pickEmoji } from "./picker.js";
import { workspace } from "./workspace.js";

const MOST = 8; // suggestions shown at a time
const drafts = new Map(); // by channel and thread: leaving a channel loses nothing

// follow(): called with a slash command, so that its answer comes into view.
export function composer({ channel, thread = null, name, follow = null }) {
  const key = `${channel.id}|${thread ?? ""}`;
  const listId = newId("suggestions");
  const area = h("textarea", {
    rows: "1", "aria-label": name, placeholder: name, value: drafts.get(key) ?? "", "aria-autocomplete": "list", "aria-controls": listId,
    "aria-expanded": "false", role: "combobox", dataset: { focus: `composer|${key}` },
  });
  const list = h("div", { class: "suggestions", role: "listbox", id: listId, "aria-label": "Suggestions", hidden: true });
  const send = h("button", { type: "submit", class: "button primary square", "aria-label": "Send", title: "Send" }, icon("send"));
  const smile = h("button", { type: "button", class: "icon-button", "aria-label": "Insert an emoji", title: "Insert an emoji", onclick: (event) => pickEmoji(event.currentTarget, (emoji) => insert(`:${emoji}: `)) }, icon("smile"));
  const slash = h("button", { type: "button", class: "icon-button text-button", "aria-label": "Commands", title: "Commands", onclick: () => start("/") }, "/");
  const at = h("button", { type: "button", class: "icon-button text-button", "aria-label": "Mention someone", title: "Mention someone", onclick: () => insert("@") }, "@");
  const too = thread && h("label", { class: "choice too" }, h("input", { type: "checkbox" }), "Also send to the channel");
  const form = h("form", { class: "composer" }, list, area, h("div", { class: "tools" }, !thread && slash, at, smile, too, !thread && h("span", { class: "key-hint" }, "Enter sends, Shift+Enter breaks the line"), send));
  let offered = [];
  let active = 0;

  function grow() {
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, innerHeight * 0.4)}px`;
    send.disabled = !area.value.trim();
    drafts.set(key, area.value);
  }

  function insert(words) {
    area.setRangeText(words, area.selectionStart, area.selectionEnd, "end");
    changed();
    area.focus();
  }

  function start(words) {
    if (!area.value) area.value = words;
    changed();
    area.focus();
  }

  function changed() {
    grow();
    offered = suggestionsFor(area.value.slice(0, area.selectionStart), thread).slice(0, MOST);
    active = 0;
    draw();
  }

  function draw() {
    list.hidden = !offered.length;
    area.setAttribute("aria-expanded", String(offered.length > 0));
    list.replaceChildren(...offered.map(row));
    if (offered.length) area.setAttribute("aria-activedescendant", `${listId}-${active}`);
    else area.removeAttribute("aria-activedescendant");
  }

  function row(each, index) {
    return h(
      "div",
      {
        role: "option", id: `${listId}-${index}`, class: `option ${index === active ? "active" : ""}`, "aria-selected": String(index === active),
        onmousedown: (event) => event.preventDefault(), onclick: () => take(each),
      },
      each.picture?.(),
      h("span", {}, h("strong", {}, each.label), each.hint && h("code", {}, each.hint), each.note && h("small", {}, each.note)),
    );
  }

  function take(each) {
    const end = area.selectionStart;
    area.setRangeText(`${each.text} `, end - each.typed, end, "end");
    offered = [];
    changed();
  }

  async function submit() {
    const typed = area.value.trim();
    if (!typed) return;
    area.value = "";
    changed();
    send.classList.add("busy");
    if (!(await sent(typed))) {
      area.value = area.value || typed;
      changed();
    }
    send.classList.remove("busy");
  }

  async function sent(typed) {
    if (typed.startsWith("/") && /^\/\S/.test(typed)) {
      follow?.();
      return command(typed, channel, thread);
    }
    const fields = { channel: channel.id, text: outgoing(typed), thread_ts: thread, broadcast: Boolean(too?.querySelector("input").checked) };
    return (await trying(act("post", fields))) !== null;
  }

  const keys = {
    ArrowDown: () => (active = (active + 1) % offered.length),
    ArrowUp: () => (active = (active - 1 + offered.length) % offered.length),
    Tab: () => take(offered[active]),
    Escape: () => (offered = []),
  };
  area.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (offered.length && event.key in keys) {
      event.preventDefault();
      keys[event.key]();
      draw();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (offered.length && !complete(offered[active], area.value)) take(offered[active]);
      else submit();
    }
  });
  area.addEventListener("input", changed);
  area.addEventListener("blur", () => {
    offered = [];
    draw();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  requestAnimationFrame(grow);
  return form;
}

// Enter sends what is already typed out, rather than completing it again.
function complete(option, value) {
  return value.trim().endsWith(option.text);
}

async function command(typed, channel, thread) {
  const name = typed.split(/\s/)[0];
  const known = name === "/invite" || workspace.apps.some((app) => app.commands.some((each) => each.command === name));
  if (!known) {
    notice(`${name} is not a command here.`, "error");
    return false;
  }
  return (await trying(act("command", { channel: channel.id, text: typed, thread_ts: thread })))?.ok === true;
}

function suggestionsFor(before, thread) {
  const slash = !thread && /^\/(\S*)$/.exec(before);
  if (slash) return commands(slash[0]);
  const found = /(?:^|[\s(])([@#:])([\p{L}\p{N}_+.-]*)$/u.exec(before);
  if (!found) return [];
  const [, mark, typed] = found;
  if (mark === "@") return people(typed, before.startsWith("/"));
  if (mark === "#") return channels(typed);
  return typed.length > 1 ? signs(typed) : [];
}

function commands(typed) {
  const all = workspace.apps.flatMap((app) => app.commands.map((each) => ({ ...each, app })));
  return all
    .filter((each) => each.command.startsWith(typed))
    .map((each) => ({ text: each.command, label: each.command, hint: each.usage_hint, note: [each.description, each.app.name].filter(Boolean).join(" · "), typed: typed.length, picture: () => avatar(each.app.bot_user, "tiny") }));
}

// A command gets names without spaces, which its words are told apart by.
function people(typed, inCommand) {
  const wanted = typed.toLowerCase();
  const hits = workspace.people.filter((each) => !each.deleted && `${each.real_name} ${each.name}`.toLowerCase().includes(wanted));
  const all = hits.map((each) => ({ text: `@${inCommand ? each.name : each.real_name}`, label: each.real_name, note: `@${each.name}`, typed: typed.length + 1, picture: () => avatar(each.id, "tiny") }));
  const casts = ["here", "channel"].filter((each) => each.startsWith(wanted));
  return [...all, ...casts.map((each) => ({ text: `@${each}`, label: `@${each}`, note: "Notify everyone here", typed: typed.length + 1 }))];
}

function channels(typed) {
  const hits = workspace.channels.filter(({ kind, name }) => kind !== "im" && name.includes(typed.toLowerCase()));
  return hits.map(({ name }) => ({ text: `#${name}`, label: `#${name}`, typed: typed.length + 1 }));
}

function signs(typed) {
  return search(typed, MOST).map(({ names, sign }) => ({ text: `:${names[0]}:`, label: `${sign}  :${names[0]}:`, typed: typed.length + 1 }));
}
