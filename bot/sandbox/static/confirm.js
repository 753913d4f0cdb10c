// A question before something happens: Block Kit's confirmation dialog, and this page's own.

import { h } from "./dom.js";
import { text } from "./texts.js";

const plain = (words) => ({ type: "plain_text", text: words, emoji: false });

export function ask({ title, text: question, confirm = plain("Yes"), deny = plain("Cancel"), style = "primary" }) {
  return new Promise((resolve) => {
    const no = h("button", { type: "button", class: "button", onclick: () => dialog.close("no") }, text(deny));
    const yes = h("button", { type: "button", class: `button ${style}`, onclick: () => dialog.close("yes") }, text(confirm));
    const dialog = h(
      "dialog",
      { class: "confirm", "aria-labelledby": "confirm-title" },
      h("h2", { id: "confirm-title" }, text(title)),
      h("p", {}, text(question)),
      h("div", { class: "row end" }, no, yes),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
    yes.focus();
  });
}

export function asked(title, question, yes, style = "danger") {
  return ask({ title: plain(title), text: plain(question), confirm: plain(yes), style });
}

// True at once where the element asks nothing.
export async function agreed(element) {
  return element.confirm ? ask(element.confirm) : true;
}
