// A page that tries everything a page can do with a local listener, and reports what came of it.
"use strict";

// The server of the test, which lets pages of every origin read it.
const control = new URL(document.currentScript.src).searchParams.get("control");
const name = new URLSearchParams(location.search).get("name") || "top";
const LIMIT_MS = 4000;

/** What `started` comes to, or "no answer". */
function within(started) {
  const late = new Promise((resolve) => setTimeout(() => resolve({ outcome: "no answer" }), LIMIT_MS));
  return Promise.race([started, late]).catch((error) => ({ outcome: `error ${error.name}` }));
}

async function byFetch(url, options) {
  const response = await fetch(url, { ...options, signal: AbortSignal.timeout(LIMIT_MS) });
  if (response.type === "opaque") {
    return { outcome: "opaque" };
  }
  return { outcome: "answer", status: response.status, text: (await response.text()).slice(0, 300) };
}

function byXhr(url, method, body) {
  return new Promise((resolve) => {
    const xhr = new XMLHttpRequest();
    xhr.open(method, url);
    xhr.timeout = LIMIT_MS;
    xhr.onload = () => resolve({ outcome: "answer", status: xhr.status, text: xhr.responseText.slice(0, 300) });
    xhr.onerror = xhr.ontimeout = () => resolve({ outcome: "error" });
    xhr.send(body);
  });
}

/** An element that loads the address by itself. */
function byElement(kind, set) {
  return new Promise((resolve) => {
    const element = document.createElement(kind);
    element.onload = element.onloadeddata = () => resolve({ outcome: "load" });
    element.onerror = () => resolve({ outcome: "error" });
    set(element);
    document.documentElement.append(element);
  });
}

/** What a frame shows, as far as this page may look into it. */
function shown(frame) {
  try {
    return { outcome: "shown", text: frame.contentDocument.documentElement.textContent.slice(0, 300) };
  } catch (error) {
    return { outcome: `error ${error.name}` };
  }
}

function frame() {
  const frame = document.createElement("iframe");
  frame.name = `frame-${Math.random()}`;
  document.documentElement.append(frame);
  return frame;
}

function byFrame(url) {
  return new Promise((resolve) => {
    const into = frame();
    into.onload = () => resolve(shown(into));
    into.src = url;
  });
}

function byForm(url, method, type, body) {
  return new Promise((resolve) => {
    const into = frame();
    const form = document.createElement("form");
    Object.assign(form, { action: url, method, enctype: type, target: into.name });
    const field = document.createElement("input");
    Object.assign(field, { name: body, value: "" });
    form.append(field);
    document.documentElement.append(form);
    into.onload = () => resolve(shown(into));
    form.submit();
  });
}

function bySocket(url) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url.replace("http:", "ws:"));
    socket.onopen = () => resolve({ outcome: "load" });
    socket.onerror = () => resolve({ outcome: "error" });
  });
}

function byEvents(url) {
  return new Promise((resolve) => {
    const events = new EventSource(url);
    events.onopen = () => resolve({ outcome: "load" });
    events.onerror = () => (events.close(), resolve({ outcome: "error" }));
  });
}

/** All ways to one address; `target` is what is asked for, and with what. */
function ways({ url, body, headers }) {
  const text = { "content-type": "text/plain" };
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const json = { "content-type": "application/json", ...headers };
  const multipart = new FormData();
  multipart.append("payload", body);
  return {
    get: () => byFetch(url, {}),
    "get with cookies": () => byFetch(url, { credentials: "include" }),
    "get without cors": () => byFetch(url, { mode: "no-cors" }),
    "get without referrer": () => byFetch(url, { mode: "no-cors", referrerPolicy: "no-referrer" }),
    "get with headers": () => byFetch(url, { headers }),
    "post text": () => byFetch(url, { method: "POST", headers: text, body }),
    "post form": () => byFetch(url, { method: "POST", headers: form, body }),
    "post multipart": () => byFetch(url, { method: "POST", body: multipart }),
    "post json": () => byFetch(url, { method: "POST", headers: json, body }),
    "post without cors": () => byFetch(url, { method: "POST", mode: "no-cors", headers: text, body }),
    "post without referrer": () =>
      byFetch(url, { method: "POST", mode: "no-cors", referrerPolicy: "no-referrer", headers: text, body }),
    put: () => byFetch(url, { method: "PUT", body }),
    delete: () => byFetch(url, { method: "DELETE" }),
    "xhr get": () => byXhr(url, "GET"),
    "xhr post": () => byXhr(url, "POST", body),
    beacon: async () => ({ outcome: `sent ${navigator.sendBeacon(url, body)}` }),
    "form post": () => byForm(url, "post", "application/x-www-form-urlencoded", body),
    "form post text": () => byForm(url, "post", "text/plain", body),
    "form get": () => byForm(url, "get", "application/x-www-form-urlencoded", body),
    frame: () => byFrame(url),
    img: () => byElement("img", (img) => (img.src = url)),
    "img without referrer": () =>
      byElement("img", (img) => Object.assign(img, { referrerPolicy: "no-referrer", src: url })),
    script: () => byElement("script", (script) => (script.src = url)),
    style: () => byElement("link", (link) => Object.assign(link, { rel: "stylesheet", href: url })),
    video: () => byElement("video", (video) => (video.src = url)),
    websocket: () => bySocket(url),
    events: () => byEvents(url),
  };
}

async function run() {
  const tell = (path, value) => fetch(`${control}${path}`, { method: "POST", body: JSON.stringify(value) });
  await tell(`/ready`, name);
  const orders = await (await fetch(`${control}/go?name=${name}`)).json();
  const results = [];
  const sockets = [];
  for (const target of orders) {
    const all = [];
    for (const [how, way] of Object.entries(ways(target))) {
      // An error may come at once, or later.
      const ended = within((async () => way())());
      const reported = ended.then((result) => results.push({ how, url: target.url, ...result }));
      (how === "websocket" ? sockets : all).push(reported);
    }
    await Promise.all(all);
  }
  await Promise.all(sockets);
  await tell(`/report?name=${name}`, results);
}

run();
