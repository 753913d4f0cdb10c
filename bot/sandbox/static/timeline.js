// A list of messages that stays where the reader is: what did not change is not drawn again.

import { look } from "./control.js";
import { dayOf, pretty } from "./dates.js";
import { arrange, h, keepFocus } from "./dom.js";
import { icon } from "./icons.js";
import { messageNode } from "./message.js";
import { announce, notice } from "./notices.js";
import { isMe, nameOf } from "./workspace.js";

const TOGETHER = 5 * 60; // seconds; messages of one person within them stand together
const NEAR_END = 80; // pixels

export class Timeline {
  // where: "channel" or "thread"; empty(): what to show where nothing was written yet
  constructor({ channel, thread = null, where = "channel", empty = null }) {
    Object.assign(this, { channel, thread, where, empty });
    this.nodes = new Map();
    this.seen = null;
    this.newFrom = null;
    this.list = h("div", { class: "timeline", role: "list" });
    this.end = h("button", { type: "button", class: "to-end", hidden: true, onclick: () => this.toEnd() }, icon("down"), "New messages");
    this.scroller = h("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": where === "thread" ? "Replies" : "Messages" }, this.list);
    this.box = h("div", { class: "timeline-box" }, this.scroller, this.end);
    this.stuck = true;
    this.top = 0; // where it was scrolled to last
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.scroller.addEventListener("keydown", (event) => this.moved(event));
    new ResizeObserver(() => this.stuck && this.toEnd()).observe(this.list);
    new ResizeObserver(() => this.stuck && this.toEnd()).observe(this.scroller);
  }

  async load() {
    const query = { channel: this.channel, ...(this.thread ? { thread_ts: this.thread } : {}) };
    try {
      this.draw((await look("messages", query)).messages);
    } catch (error) {
      notice(error.message, "error");
    }
  }

  // Marks where reading was left off, once, when the channel is opened.
  unreadFrom(ts) {
    this.newFrom = ts;
  }

  draw(messages) {
    const wanted = [];
    let before = null;
    for (const message of messages) {
      wanted.push(...this.between(before, message), this.node(message, this.joins(before, message)));
      before = message;
    }
    if (!messages.length && this.empty) wanted.push(this.kept("empty", "empty", this.empty));
    const ends = new Set(wanted);
    for (const [key, { node }] of this.nodes) if (!ends.has(node)) this.nodes.delete(key);
    keepFocus(this.list, () => arrange(this.list, wanted));
    this.heard(messages);
    if (this.stuck) this.toEnd();
  }

  node(message, compact) {
    const signature = JSON.stringify([message, compact]);
    const made = () => {
      const node = messageNode(message, { compact, where: this.where });
      node.setAttribute("role", "listitem");
      return node;
    };
    return this.kept(`message ${message.ts}`, signature, made);
  }

  kept(key, signature, make) {
    const known = this.nodes.get(key);
    if (known?.signature === signature) return known.node;
    const node = make();
    this.nodes.set(key, { signature, node });
    return node;
  }

  between(before, message) {
    const nodes = [];
    if (!before || dayOf(before.ts) !== dayOf(message.ts)) {
      const day = pretty(message.ts);
      nodes.push(this.kept(`day ${dayOf(message.ts)}`, day, () => h("div", { class: "day", role: "presentation" }, h("span", {}, day))));
    }
    if (before && this.newFrom !== null && Number(before.ts) <= this.newFrom && Number(message.ts) > this.newFrom && !isMe(message.user)) {
      nodes.push(this.kept("new", "", () => h("div", { class: "new-line" }, h("span", {}, "New"))));
    }
    if (this.where === "thread" && before?.ts === this.thread) nodes.push(this.kept("replies", "", () => h("hr", { class: "replies-line" })));
    return nodes;
  }

  joins(before, message) {
    if (!before || before.user !== message.user || before.ephemeral !== message.ephemeral) return false;
    if (this.where === "thread" && before.ts === this.thread) return false;
    return message.ts - before.ts < TOGETHER && dayOf(before.ts) === dayOf(message.ts) && !message.blocks.length;
  }

  heard(messages) {
    const fresh = this.seen && messages.filter(({ ts }) => !this.seen.has(ts));
    this.seen = new Set(messages.map(({ ts }) => ts));
    if (!fresh?.length) return;
    for (const each of fresh) if (!isMe(each.user)) announce(`${nameOf(each.user)}: ${each.text.slice(0, 300)}`);
    if (fresh.some(({ user }) => isMe(user))) this.stuck = true;
    this.end.hidden = this.stuck;
  }

  // A picture that arrives makes the list longer under a reader at its end: only who scrolls up leaves it.
  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    this.stuck = atEnd || (this.stuck && scrollTop >= this.top);
    this.top = scrollTop;
    if (this.stuck) this.end.hidden = true;
  }

  // From now on what comes is shown, wherever one was reading.
  follow() {
    this.stuck = true;
    this.toEnd();
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.end.hidden = true;
  }

  // Brings one message into view and lets it glow, for links to messages.
  reveal(ts) {
    const node = this.nodes.get(`message ${ts}`)?.node;
    if (!node) return;
    this.stuck = false;
    node.scrollIntoView({ block: "center" });
    node.classList.add("revealed");
    node.focus({ preventScroll: true });
  }

  moved(event) {
    const article = event.target.closest?.("article");
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || (event.target !== article && event.target !== this.scroller)) return;
    const articles = [...this.list.querySelectorAll("article.message")];
    const next = article ? articles[articles.indexOf(article) + step] : articles.at(-1);
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}
