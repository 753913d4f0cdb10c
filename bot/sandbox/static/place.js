// Where blocks stand: a message, a modal or a Home tab. It knows what was entered there and how to tell the app.

import { act } from "./control.js";
import { interact } from "./pending.js";

const HELD = new Map(); // what this page's person has entered, by place, block and action; survives redrawing

export class Place {
  // fields: how the control API names the place; values: the state Slack holds, by block and action
  constructor(key, surface, fields, values = {}) {
    Object.assign(this, { key, surface, fields, values });
    this.blocks = [];
  }

  keyOf(block, element) {
    return `${this.key}|${block.block_id}|${element.action_id}`;
  }

  // What the element shows: what was entered here, else what the workspace knows, else its initial value.
  held(block, element, initial) {
    const key = this.keyOf(block, element);
    if (HELD.has(key)) return HELD.get(key);
    return this.stored(block, element) ?? initial;
  }

  stored(block, element) {
    const state = this.values[block.block_id]?.[element.action_id];
    return state && Object.entries(state).find(([name]) => name !== "type")?.[1];
  }

  hold(block, element, value) {
    HELD.set(this.keyOf(block, element), value);
  }

  entered(block, element) {
    return HELD.get(this.keyOf(block, element));
  }

  click(block, element, name = element.action_id) {
    return this.send("click", block, element, { name });
  }

  choose(block, element, value) {
    return this.send("choose", block, element, { action_id: element.action_id, value });
  }

  send(what, block, element, fields) {
    const request = act(what, { ...this.fields, block_id: block.block_id, ...fields });
    return interact(this.keyOf(block, element), request);
  }

  async suggestions(block, element, query) {
    const fields = { ...this.fields, block_id: block.block_id, action_id: element.action_id, query };
    return (await act("suggestions", fields)).options;
  }
}

export function messagePlace(message) {
  const fields = { channel: message.channel, ts: message.ts };
  const place = new Place(`${message.channel}/${message.ts}`, "message", fields);
  place.blocks = message.blocks;
  return place;
}

export function viewPlace(view) {
  const surface = view.type === "home" ? "home" : "modal";
  const place = new Place(view.id, surface, { surface, app: view.app }, view.state?.values ?? {});
  place.blocks = view.blocks;
  return place;
}
