// The control API, always as the person in this page's address.

export const me = document.body.dataset.person;

export class Refusal extends Error {}

export async function look(path, fields = {}) {
  const query = new URLSearchParams({ person: me, ...fields });
  return answered(fetch(`/control/${path}?${query}`));
}

export async function act(path, fields = {}) {
  const body = JSON.stringify({ person: me, ...fields });
  return answered(fetch(`/control/${path}`, { method: "POST", body, headers: { "Content-Type": "application/json" } }));
}

async function answered(request) {
  let response;
  try {
    response = await request;
  } catch {
    throw new Refusal("The workspace cannot be reached. Is it still running?");
  }
  let body;
  try {
    body = await response.json();
  } catch {
    throw new Refusal(`The workspace answered with an error (${response.status}); see its terminal for details.`);
  }
  if (!response.ok) throw new Refusal(body.error ?? `The workspace answered with status ${response.status}.`);
  return body;
}
