// Images by address or from the workspace's files. An image that cannot be had is replaced by its words.

import { me } from "./control.js";
import { h, safeUrl } from "./dom.js";
import { icon } from "./icons.js";

export function fileUrl(id) {
  return `/files/${encodeURIComponent(id)}/file?person=${encodeURIComponent(me)}`;
}

function address(image) {
  if (image.image_url) return safeUrl(image.image_url) ?? null;
  const file = image.slack_file ?? {};
  const id = file.id ?? /\/files\/([^/]+)\//.exec(file.url ?? "")?.[1];
  return id ? fileUrl(id) : null;
}

export function picture(image, kind = "") {
  const source = address(image);
  const alt = image.alt_text ?? "";
  if (!source) return lost(alt);
  const drawn = h("img", { class: `picture ${kind}`, src: source, alt, loading: "lazy", referrerpolicy: "no-referrer" });
  drawn.addEventListener("error", () => drawn.replaceWith(lost(alt)));
  return drawn;
}

export function linked(image, kind = "") {
  const source = address(image);
  return h("a", { class: "picture-link", href: source, target: "_blank", rel: "noopener noreferrer" }, picture(image, kind));
}

function lost(alt) {
  return h("span", { class: "picture lost", role: "img", "aria-label": alt }, icon("file"), alt || "An image");
}
