// Making elements. Text always becomes a text node, so whatever people write stays text.

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) set(element, name, value);
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2).toLowerCase(), value);
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (name === "value") element.value = value;
  else element.setAttribute(name, value === true ? "" : value);
}

export function hidden(words) {
  return h("span", { class: "hidden" }, words);
}

let numbers = 0;

export function newId(prefix) {
  numbers += 1;
  return `${prefix}-${numbers}`;
}

// Makes `parent` hold exactly `wanted`, touching only what differs: what stays keeps its focus and its place.
export function arrange(parent, wanted) {
  const staying = new Set(wanted);
  for (const child of [...parent.childNodes]) if (!staying.has(child)) child.remove();
  wanted.forEach((node, index) => {
    if (parent.childNodes[index] !== node) parent.insertBefore(node, parent.childNodes[index] ?? null);
  });
}

// Runs `redraw`, then gives the focus back to the element with the same data-focus, and the caret its place.
export function keepFocus(root, redraw) {
  const before = root.contains(document.activeElement) ? document.activeElement : null;
  const key = before?.closest("[data-focus]")?.dataset.focus;
  const caret = before && "selectionStart" in before ? [before.selectionStart, before.selectionEnd] : null;
  redraw();
  if (!key || document.activeElement === before) return;
  const again = [...root.querySelectorAll("[data-focus]")].find((each) => each.dataset.focus === key);
  if (!again) return;
  again.focus({ preventScroll: true });
  try {
    if (caret && caret[0] !== null) again.setSelectionRange(...caret);
  } catch {
    // number and date fields have no caret that can be set
  }
}

export function safeUrl(given) {
  try {
    const url = new URL(given);
    return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

export function link(url, ...children) {
  const safe = safeUrl(url);
  if (safe === null) return h("span", {}, ...children);
  return h("a", { href: safe, target: "_blank", rel: "noopener noreferrer" }, ...children);
}
