// The scripts of the collection. build.py puts each part into the requests that need it; `//#` begins a part.

//# before each request
// A password may have a quotation mark. Bodies use {{password_json}} and {{password_xml}}, in which it is escaped.
const names = ["site_content_url", "pat_name", "pat_secret", "user_name", "password", "event", "webhook_name", "webhook_url", "new_webhook_url"];
for (const name of names) {
  const value = String(pm.variables.get(name) ?? "");
  pm.variables.set(`${name}_json`, JSON.stringify(value).slice(1, -1));
  pm.variables.set(`${name}_xml`, value.replace(/[&<>"'\s]/g, character => `&#${character.charCodeAt(0)};`));
}

//# skip without pat_secret
if (!pm.variables.get("pat_secret")) {
  console.log("Skipped: pat_secret is empty.");
  pm.execution.skipRequest();
}

//# skip without password
if (!pm.variables.get("password")) {
  console.log("Skipped: password is empty.");
  pm.execution.skipRequest();
}

//# jwt
// https://help.tableau.com/current/server/en-us/connected_apps_direct.htm
const crypto = require("crypto-js");
const text = name => String(pm.variables.get(name) ?? "");
const base64url = words => crypto.enc.Base64.stringify(words).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
const part = object => base64url(crypto.enc.Utf8.parse(JSON.stringify(object)));
const header = { alg: "HS256", typ: "JWT", kid: text("connected_app_secret_id"), iss: text("connected_app_client_id") };
const claims = {
  iss: text("connected_app_client_id"),
  sub: text("connected_app_user_name"),
  aud: "tableau",
  jti: pm.variables.replaceIn("{{$guid}}"),
  // Tableau accepts ten minutes at most.
  exp: Math.floor(Date.now() / 1000) + 300,
  scp: text("connected_app_scopes").split(/[\s,]+/),
};
const signed = `${part(header)}.${part(claims)}`;
const signature = crypto.HmacSHA256(signed, crypto.enc.Utf8.parse(text("connected_app_secret_value")));
// It has no character that would need another form in JSON or XML.
pm.variables.set("jwt_json", `${signed}.${base64url(signature)}`);
pm.variables.set("jwt_xml", `${signed}.${base64url(signature)}`);
if (!text("connected_app_secret_value")) {
  console.log("Skipped: connected_app_secret_value is empty.");
  pm.execution.skipRequest();
}

//# source element
// The names of the two events about administrators do not have the word `source`.
const administrators = {
  AdminPromoted: "webhook-event-user-promoted-admin",
  AdminDemoted: "webhook-event-user-demoted-admin",
};
const event = pm.variables.get("event");
const words = event.replace(/\B[A-Z]/g, "-$&").toLowerCase();
pm.variables.set("source_element", administrators[event] ?? `webhook-source-event-${words}`);

//# new URL
if (!pm.variables.get("new_webhook_url")) {
  for (const form of ["", "_json", "_xml"]) {
    pm.variables.set(`new_webhook_url${form}`, pm.variables.get(`webhook_url${form}`));
  }
}

//# status
const value = name => String(pm.variables.get(name) ?? "");
pm.test("The status is EXPECTED", () => {
  pm.expect(pm.response.code, pm.response.text()).to.eql(EXPECTED);
});

//# json
pm.test("The answer is JSON", () => {
  pm.expect(pm.response.headers.get("Content-Type")).to.include("json");
});
const answer = pm.response.json();

//# xml
pm.test("The answer is XML", () => {
  pm.expect(pm.response.headers.get("Content-Type")).to.include("xml");
});
// Attributes and elements become members, as in Tableau's JSON.
const members = node => {
  if (Array.isArray(node)) return node.map(members);
  if (node === null || typeof node !== "object") return node;
  const { $: attributes, ...elements } = node;
  const converted = Object.entries(elements).map(([name, element]) => [name, members(element)]);
  return { ...attributes, ...Object.fromEntries(converted) };
};
let answer;
require("xml2js").parseString(pm.response.text(), { explicitArray: false }, (error, tree) => {
  if (error) throw error;
  answer = members(tree.tsResponse);
});

//# one webhook
const webhook = answer.webhook;
const destination = webhook["webhook-destination"]["webhook-destination-http"];

//# all webhooks
// A list of one can be an object, and an empty list can be missing.
const webhooks = [].concat(answer.webhooks?.webhook ?? []);

//# signed in
pm.test("There is a session for the site", () => {
  pm.expect(answer.credentials.token).to.have.lengthOf.above(0);
  pm.expect(answer.credentials.site.id).to.match(/^[0-9a-f-]{36}$/);
  pm.expect(answer.credentials.site.contentUrl).to.eql(value("site_content_url"));
});
pm.collectionVariables.set("session_token", answer.credentials.token);
pm.collectionVariables.set("site_luid", answer.credentials.site.id);

//# signed out
pm.collectionVariables.unset("session_token");
pm.collectionVariables.unset("site_luid");

//# listed
pm.test("Each webhook has an id, an event and a URL", () => {
  for (const webhook of webhooks) {
    pm.expect(webhook.id).to.match(/^[0-9a-f-]{36}$/);
    pm.expect(webhook.event).to.match(/^[A-Z][A-Za-z]+$/);
    pm.expect(webhook["webhook-destination"]["webhook-destination-http"].url).to.match(/^https?:/);
  }
});

//# created
pm.test("The webhook is the one that was asked for, and is on", () => {
  pm.expect(webhook.id).to.match(/^[0-9a-f-]{36}$/);
  pm.expect(webhook.name).to.eql(value("webhook_name"));
  pm.expect(webhook.event).to.eql(value("event"));
  pm.expect(destination.method).to.eql("POST");
  pm.expect(destination.url).to.eql(value("webhook_url"));
  pm.expect(String(webhook.isEnabled)).to.eql("true");
});
pm.collectionVariables.set("webhook_id", webhook.id);

//# created by element
pm.test("The webhook is for the event whose element was sent", () => {
  pm.expect(webhook.event).to.eql(value("event"));
  pm.expect(Object.keys(webhook["webhook-source"])).to.eql([value("source_element")]);
  pm.expect(destination.url).to.eql(value("webhook_url"));
});
pm.collectionVariables.set("second_webhook_id", webhook.id);

//# got
pm.test("The webhook is as it was created", () => {
  pm.expect(webhook.id).to.eql(value("webhook_id"));
  pm.expect(webhook.name).to.eql(value("webhook_name"));
  pm.expect(webhook.event).to.eql(value("event"));
  pm.expect(destination.url).to.eql(value("webhook_url"));
});

//# updated
pm.test("The webhook has the new name and URL, and the event of before", () => {
  pm.expect(webhook.id).to.eql(value("webhook_id"));
  pm.expect(webhook.name).to.eql(`${value("webhook_name")} (new)`);
  pm.expect(destination.url).to.eql(value("new_webhook_url"));
  pm.expect(webhook.event).to.eql(value("event"));
});

//# disabled
pm.test("The webhook is off, with the reason", () => {
  pm.expect(webhook.id).to.eql(value("webhook_id"));
  pm.expect(String(webhook.isEnabled)).to.eql("false");
  pm.expect(webhook.statusChangeReason).to.eql("Keep disabled: maintenance");
});

//# enabled
pm.test("The webhook is on", () => {
  pm.expect(webhook.id).to.eql(value("webhook_id"));
  pm.expect(String(webhook.isEnabled)).to.eql("true");
});

//# tested
// Tableau answers 200 also if the destination refuses the test.
const result = answer.webhookTestResult;
pm.test("The destination answered 200", () => {
  pm.expect(result.id).to.eql(value("webhook_id"));
  pm.expect(String(result.status), JSON.stringify(result.body)).to.eql("200");
});

//# gone
pm.test("Both webhooks are gone", () => {
  const ids = webhooks.map(webhook => webhook.id);
  pm.expect(value("webhook_id")).to.match(/^[0-9a-f-]{36}$/);
  pm.expect(value("second_webhook_id")).to.match(/^[0-9a-f-]{36}$/);
  pm.expect(ids).to.not.include(value("webhook_id"));
  pm.expect(ids).to.not.include(value("second_webhook_id"));
});
pm.collectionVariables.unset("webhook_id");
pm.collectionVariables.unset("second_webhook_id");

//# accepted
pm.test("The event is accepted, and has an id", () => {
  const { status, event_id: id } = pm.response.json();
  pm.expect(status).to.eql("accepted");
  pm.expect(id).to.match(/^[0-9a-f]{64}$/);
});

//# taken for a test
pm.test("The request is taken for a test of the webhook", () => {
  pm.expect(pm.response.json()).to.eql({ status: "test" });
});

//# forbidden
pm.test("The answer says nothing more", () => {
  pm.expect(pm.response.json()).to.eql({ error: "forbidden" });
});
