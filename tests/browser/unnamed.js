// Lists what breaks the basics of accessibility: controls, pictures and dialogs without a name, ids used twice,
// references to ids that are not there, the page without a language or a heading.
() => {
  const found = [];
  const words = (element) => (element.textContent ?? "").trim();
  const byIds = (value) => (value ?? "").split(/\s+/).filter(Boolean).map((id) => document.getElementById(id));
  const named = (element) =>
    element.getAttribute("aria-label")?.trim() ||
    byIds(element.getAttribute("aria-labelledby")).some((each) => each && words(each)) ||
    (element.id && [...document.querySelectorAll("label")].some((label) => label.htmlFor === element.id && words(label))) ||
    (element.closest("label") && words(element.closest("label")));
  const all = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility());
  const shown = (element) => element.outerHTML.slice(0, 160);
  for (const each of all("button, a[href], [role=button], [role=menuitem], [role=option], summary")) {
    if (!words(each) && !named(each) && ![...each.querySelectorAll("img")].some((img) => img.alt)) found.push(`no name: ${shown(each)}`);
  }
  for (const each of all("input:not([type=hidden]), textarea, select, [role=combobox], [role=listbox], [role=dialog], dialog, [role=menu], [role=region]")) {
    if (!named(each)) found.push(`no label: ${shown(each)}`);
  }
  for (const each of all("img")) if (!each.hasAttribute("alt")) found.push(`no alt: ${shown(each)}`);
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) found.push(`id twice: ${id}`);
  for (const each of all("[aria-controls], [aria-describedby], [aria-labelledby]")) {
    for (const name of ["aria-controls", "aria-describedby", "aria-labelledby"]) {
      if (byIds(each.getAttribute(name)).includes(null)) found.push(`${name} leads nowhere: ${shown(each)}`);
    }
  }
  if (!document.documentElement.lang) found.push("the page has no language");
  if (!document.querySelector("h1")) found.push("the page has no first heading");
  if (document.querySelectorAll("main").length !== 1) found.push("the page needs one <main>");
  return found;
};
