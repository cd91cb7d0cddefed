// Asks every two seconds what is to be shown, and shows it. Keeps nothing anywhere.
"use strict";

const query = new URLSearchParams(location.search);
const connId = (query.get("conn_id") || "").trim();
const channel = (query.get("channel") || "").trim();
const subject = new URLSearchParams({ conn_id: connId, channel }).toString();
const at = (id) => document.getElementById(id);

let shown = "";        // the QR code on the page
let expiresAt = 0;     // by performance.now()
let lifetime = 1;
let timer = 0;
let asking = false;

function put(id, text) {
  const node = at(id);
  // Only a change: a screen reader would read the same words again and again.
  if (node.textContent !== text) node.textContent = text;
}

function show(id, visible) {
  at(id).hidden = !visible;
}

function followAirflowsTheme() {
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch { /* no storage, so the system's preference stands */ }
}

function nameChannel(found) {
  const name = found ? found.name || found.id : channel || "the connection's own";
  put("channel", name);
  if (found && found.name && found.name !== found.id) {
    const id = document.createElement("small");
    id.textContent = ` ${found.id}`;
    at("channel").append(id);
  }
  document.title = found || channel ? `Pair ${name}` : "Pair a WhatsApp channel";
}

function say(tone, title, advice = "", detail = "") {
  at("card").dataset.tone = tone;
  put("title", title);
  put("advice", advice);
  put("detail", detail);
  show("detail", detail !== "");
}

function showCode(view) {
  show("scan", Boolean(view.qr));
  show("warning", Boolean(view.qr));
  if (!view.qr) {
    shown = "";
    at("qr").removeAttribute("src");
    return;
  }
  if (view.qr !== shown) {
    shown = view.qr;
    at("qr").src = view.qr;
    lifetime = Math.max(view.expires_in, 1);
  }
  expiresAt = performance.now() + view.expires_in * 1000;
  countDown();
}

function countDown() {
  if (!shown) return;
  const left = Math.max(0, (expiresAt - performance.now()) / 1000);
  at("bar").value = Math.min(100, (100 * left) / lifetime);
  put("left", left > 0 ? `${Math.ceil(left)} s left, then a new code comes` : "Expired; a new code is coming");
  at("scan").classList.toggle("old", left <= 0);
}

function showNumber(view) {
  show("number", view.by_number);
  if (view.by_number && !view.qr && view.tone === "scan") at("number").open = true;
  if (!view.by_number) clearAnswer();
}

function clearAnswer() {
  show("answer", false);
  show("refusal", false);
  put("code", "");
  at("phone").value = "";
}

function showChoices(choices) {
  show("choices", choices.length > 0);
  at("choices").replaceChildren(...choices.map((choice) => {
    const link = document.createElement("a");
    link.href = `?${new URLSearchParams({ conn_id: connId, channel: choice.id })}`;
    link.textContent = choice.name || choice.id;
    const note = document.createElement("small");
    note.textContent = choice.id + (choice.stopped ? ", stopped" : "");
    link.append(note);
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
}

function render(view) {
  nameChannel(view.channel);
  show("which", view.state !== "choose");
  say(view.tone, view.title, view.advice, view.detail);
  showCode(view);
  showNumber(view);
  showChoices(view.choices);
}

function refuse(status) {
  showCode({ qr: null });
  show("number", false);
  clearAnswer();
  if (status === 401) say("problem", "Your Airflow session has ended", "Sign in to Airflow again and reload this page.");
  else if (status === 403) say("problem", "You may not pair this channel", "It takes the right to edit its connection.");
  else say("wait", "Airflow does not answer at the moment", "Trying again.");
}

async function look() {
  if (asking) return;
  asking = true;
  clearTimeout(timer);
  let again = 5;
  try {
    const answer = await fetch(`api/pairing?${subject}`, { headers: { accept: "application/json" } });
    if (answer.ok) {
      const view = await answer.json();
      render(view);
      again = view.state === "choose" ? 0 : view.again_in;
    } else {
      refuse(answer.status);
      again = answer.status === 401 || answer.status === 403 ? 0 : 5;
    }
  } catch {
    refuse(0);
  }
  asking = false;
  if (again && !document.hidden) timer = setTimeout(look, again * 1000);
}

async function askForCode(event) {
  event.preventDefault();
  const button = at("ask").querySelector("button");
  button.disabled = true;
  show("answer", false);
  show("refusal", false);
  try {
    const answer = await fetch(`api/code?${subject}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-requested-with": "whatsapp-pairing" },
      body: JSON.stringify({ phone: at("phone").value }),
    });
    const body = await answer.json();
    if (answer.ok) put("code", body.code);
    else put("refusal", `${body.title || "Refused"}. ${typeof body.detail === "string" ? body.detail : ""}`);
    show(answer.ok ? "answer" : "refusal", true);
  } catch {
    put("refusal", "Airflow did not answer. Try again.");
    show("refusal", true);
  }
  button.disabled = false;
}

async function offerConnections() {
  show("open", true);
  try {
    const answer = await fetch("api/connections", { headers: { accept: "application/json" } });
    const { connections } = await answer.json();
    at("known").replaceChildren(...connections.map((each) => new Option(each.type, each.conn_id)));
    if (connections.length === 1) at("conn").value = connections[0].conn_id;
  } catch { /* it can be typed */ }
}

followAirflowsTheme();
addEventListener("storage", followAirflowsTheme);
if (connId) {
  put("connection", connId);
  show("about", true);
  show("card", true);
  nameChannel(null);
  at("ask").addEventListener("submit", askForCode);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  setInterval(countDown, 500);
  look();
} else {
  offerConnections();
}
