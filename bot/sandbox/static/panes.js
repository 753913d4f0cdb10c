// On a phone a pane covers the whole window: what lies under it is out of reach for keys and screen readers too.

const narrow = matchMedia("(max-width: 760px)");
const content = document.getElementById("content");
const open = new Set();

export function opened(pane) {
  open.add(pane);
  settle();
}

export function closed(pane) {
  open.delete(pane);
  settle();
}

function settle() {
  content.inert = narrow.matches && open.size > 0;
}

narrow.addEventListener("change", settle);
