// The select menus of Block Kit: fixed or from the app, of people, conversations or channels; one or several.

import { avatar } from "./avatars.js";
import { combobox, matching } from "./combobox.js";
import { agreed } from "./confirm.js";
import { words } from "./texts.js";
import { workspace } from "./workspace.js";

const LEAST = 3; // letters until an app is asked, unless it says otherwise (docs.slack.dev external_select)

// changed(value): the option's value or the id, a list of them for several, null for none.
export function select(place, block, element, { label, clearable, changed }) {
  const several = element.type.startsWith("multi_");
  const source = sourceOf(place, block, element);
  const before = place.held(block, element, source.initial);
  let chosen = [before].flat().filter(Boolean).map(source.option);
  const box = combobox({
    label,
    several,
    clearable: clearable && !several,
    chosen,
    placeholder: words(element.placeholder) || (several ? "Choose some" : "Choose one"),
    most: element.max_selected_items,
    least: source.least,
    remote: source.remote,
    focus: place.keyOf(block, element),
    load: source.load,
    changed: async (options) => {
      if (!(await agreed(element))) return box.replaceWith(select(place, block, element, { label, clearable, changed }));
      chosen = options;
      const stored = options.map(source.stored);
      place.hold(block, element, several ? stored : stored[0] ?? null);
      const values = options.map(({ value }) => value);
      changed(several ? values : values[0] ?? null);
    },
  });
  return box;
}

function sourceOf(place, block, element) {
  const kind = element.type.replace("multi_", "");
  if (kind === "external_select") return external(place, block, element);
  if (kind === "static_select") return fixed(element);
  const entities = { users_select: people, conversations_select: conversations, channels_select: channels }[kind];
  const offered = entities(element);
  const name = kind.replace("s_select", "");
  return {
    initial: element[`initial_${name}`] ?? element[`initial_${name}s`],
    load: (query) => matching(offered, query),
    option: (id) => offered.find(({ value }) => value === id) ?? { value: id, text: id },
    stored: ({ value }) => value,
  };
}

const shown = (option, group) => ({
  value: option.value,
  text: words(option.text),
  note: words(option.description),
  group: group ?? option.group,
  given: { text: option.text, value: option.value },
});
const ofOptions = { option: (option) => shown(option), stored: ({ given }) => given };

function fixed(element) {
  const grouped = (element.option_groups ?? []).flatMap((group) => group.options.map((each) => shown(each, words(group.label))));
  const offered = [...(element.options ?? []).map((each) => shown(each)), ...grouped];
  return { ...ofOptions, initial: element.initial_option ?? element.initial_options, load: (query) => matching(offered, query) };
}

function external(place, block, element) {
  const load = async (query) => (await place.suggestions(block, element, query)).map((each) => shown(each));
  const least = element.min_query_length ?? LEAST;
  return { ...ofOptions, initial: element.initial_option ?? element.initial_options, load, least, remote: true };
}

function people() {
  return workspace.people
    .filter((person) => !person.deleted)
    .map((person) => ({ value: person.id, text: person.real_name, note: `@${person.name}`, picture: () => avatar(person.id, "tiny") }));
}

function channels() {
  return workspace.channels.filter(({ kind }) => kind === "public").map((each) => ({ value: each.id, text: `#${each.name}` }));
}

function conversations(element) {
  const include = element.filter?.include ?? ["public", "private", "im", "mpim"];
  const offered = workspace.channels.filter(({ kind }) => include.includes(kind));
  return offered.map((each) => ({ value: each.id, text: each.kind === "im" ? each.name : `#${each.name}` }));
}
