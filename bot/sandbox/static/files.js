// Files of a message: pictures are shown, others offered.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { fileUrl, linked } from "./pictures.js";

export function files(message) {
  if (!message.files.length) return null;
  return h("div", { class: "files" }, message.files.map((file) => (file.mimetype?.startsWith("image/") ? image(file) : other(file))));
}

function image(file) {
  const caption = h("figcaption", {}, file.title || file.name);
  return h("figure", {}, caption, linked({ slack_file: { id: file.id }, alt_text: file.alt_txt || file.title || file.name }, "upload"));
}

function other(file) {
  const words = h("span", {}, h("strong", {}, file.title || file.name), h("small", {}, `${file.pretty_type || "File"} · ${size(file.size)}`));
  return h("a", { class: "file", href: fileUrl(file.id), download: file.name }, icon("file"), words);
}

function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
