// The "..." of a message: the apps' shortcuts, its link, and for its author editing and deleting.

import { asked } from "./confirm.js";
import { act } from "./control.js";
import { openMenu } from "./menu.js";
import { notice, trying } from "./notices.js";
import { address, here } from "./route.js";
import { isMe, workspace } from "./workspace.js";

export function messageMenu(anchor, message, edit) {
  const at = { channel: message.channel, ts: message.ts };
  const shortcuts = workspace.apps.flatMap((app) =>
    app.shortcuts
      .filter(({ type }) => type === "message")
      .map(({ name, callback_id }) => ({ label: name, note: app.name, icon: "bolt", run: () => trying(act("shortcut", { ...at, callback_id })) })),
  );
  const copy = { label: "Copy link", icon: "link", run: () => copyLink(message) };
  const own = isMe(message.user) && !message.blocks.length;
  const mine = isMe(message.user) || workspace.me?.is_admin;
  const remove = { label: "Delete message", icon: "trash", danger: true, run: () => removeMessage(at) };
  const items = [...shortcuts, shortcuts.length && null, copy, own && { label: "Edit message", icon: "pencil", run: edit }, mine && remove];
  return openMenu(anchor, items.filter((item) => item !== false && item !== 0), "Message actions");
}

async function copyLink(message) {
  const { tab } = here();
  const thread = message.thread_ts && message.thread_ts !== message.ts ? message.thread_ts : null;
  const url = new URL(address(message.channel, { thread, ts: message.ts, tab }), location.href).href;
  try {
    await navigator.clipboard.writeText(url);
    notice("Link copied.");
  } catch {
    notice(`Link: ${url}`);
  }
}

async function removeMessage(at) {
  if (await asked("Delete this message?", "It will be deleted for everyone.", "Delete")) await trying(act("delete", at));
}
