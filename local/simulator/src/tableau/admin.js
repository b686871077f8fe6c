"use strict";
// Shows what is inside every two seconds, and calls what a button's data-call says: {names} are fields of the page.

const element = id => document.getElementById(id);

async function call(method, path) {
  const answer = await fetch(path, { method, headers: { accept: "application/json" } });
  return { ok: answer.ok, json: await answer.json() };
}

/** The path with the values of its fields; parameters without a value are left out. */
function filled(path, value = id => element(id).value) {
  const [before, query] = path.split("?");
  const fill = text => text.replace(/\{(\w+)\}/g, (_, id) => encodeURIComponent(value(id)));
  const parameters = (query ? query.split("&").map(fill) : []).filter(parameter => !parameter.endsWith("="));
  return fill(before) + (parameters.length ? "?" + parameters.join("&") : "");
}

async function act(words) {
  const [method, template] = words.split(" ");
  const path = filled(template);
  let answer;
  try {
    const { ok, json } = await call(method, path);
    element("answer").className = ok ? "" : "error";
    answer = ok ? JSON.stringify(json) : json.error;
  } catch (error) {
    element("answer").className = "error";
    answer = error.message;
  }
  element("answer").textContent = `${method} ${path}: ${answer}`;
  await show();
}

function button(text, words) {
  const made = document.createElement("button");
  made.textContent = text;
  made.onclick = () => act(words);
  return made;
}

/** Rows of cells, which are texts or elements. */
function table(id, head, rows) {
  const row = (cells, kind) => {
    const made = document.createElement("tr");
    for (const cell of cells) {
      const held = document.createElement(kind);
      held.append(cell ?? "");
      made.append(held);
    }
    return made;
  };
  const empty = [row(["none"], "td")];
  element(id).replaceChildren(...(rows.length ? [row(head, "th"), ...rows.map(cells => row(cells, "td"))] : empty));
}

/** Fills the lists to choose from; once, so that a choice stays. */
function offer(inside) {
  const add = (id, choices) => choices.forEach(([text, value]) => element(id).add(new Option(text, value)));
  const named = list => list.map(({ luid, name }) => [name, luid]);
  const content = named([...inside.workbooks, ...inside.datasources]);
  add("target", [...content, ...named(inside.flows)]);
  add("about", [...content, ...named([...inside.views, ...inside.users, ...inside.sites])]);
  add("notes", inside.notes.map(name => [name, name]));
  add("event", inside.events.map(name => [name, name]));
  element("duplicates").value = inside.duplicates;
}

let shown = "";

async function show() {
  const [inside, { faults }] = (await Promise.all([call("GET", "/simulator"), call("GET", "/simulator/faults")]))
    .map(answer => answer.json);
  if (!element("event").length) offer(inside);
  // What has not changed stays as it is: a button that is replaced while it is pressed does nothing.
  const now = JSON.stringify([inside, faults]);
  if (now === shown) return;
  shown = now;
  const { token_name, token_secret, content_url } = inside.sign_in ?? {};
  element("sign-in").textContent = inside.sign_in
    ? `Server ${location.origin}; token ${token_name}, secret ${token_secret ?? "as shown in the terminal of the local stack"}, site ${content_url}.`
    : `Server ${location.origin}; no token is left that works.`;
  table("faults", ["", "what", "calls of", "times"], faults.map(({ id, fault, on, times }) =>
    [button("remove", `DELETE /simulator/faults/${id}`), fault, on, times ?? "until cleared"]));
  element("switches").replaceChildren(...Object.entries(inside.switches).map(([name, on]) =>
    button(`${name}: ${on ? "allowed" : "forbidden"}`, `POST /simulator/switch/${name}/${on ? "off" : "on"}`)));
  table("deliveries", ["event", "webhook", "state", "tries", "copy"], inside.deliveries.slice(-20).reverse().map(d =>
    [d.event, d.webhook, d.state, d.attempts.join(", "), d.copy]));
  table("webhooks", ["event", "name", "on", "why not"], inside.webhooks.map(w =>
    [w.event, w.name, w.enabled ? "yes" : "no", w.status_change_reason]));
  table("sessions", ["user", "site", "token", "last used"], inside.open_sessions.map(s =>
    [s.user, s.site, s.token_name, s.last_used_at]));
  table("jobs", ["created", "what", "status", "notes"], inside.newest_jobs.map(j =>
    [j.created_at, j.title, j.status, j.notes]));
  element("inside").textContent = JSON.stringify(inside, null, 2);
}

for (const pressed of document.querySelectorAll("[data-call]")) pressed.onclick = () => act(pressed.dataset.call);

function again() {
  show().catch(error => {
    element("answer").className = "error";
    element("answer").textContent = `The simulator does not answer: ${error.message}`;
  }).finally(() => setTimeout(again, 2000));
}
again();
