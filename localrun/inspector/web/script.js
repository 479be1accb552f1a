// The inspector's script. Without it every page works, and is refreshed by hand.
"use strict";

const table = document.getElementById("requests");

// Requests as they arrive.

function rowFrom(one) {
  const tr = document.getElementById("row").content.firstElementChild.cloneNode(true);
  tr.dataset.number = one.number;
  tr.className = (one.verdict === "refused" ? "refused" : "granted") + " new";
  const [time, request, operation, verdict, status, code, caller, took] = tr.children;
  const link = request.querySelector("a");
  link.href = "/requests/" + Number(one.number);
  link.querySelector("b").textContent = one.method;
  link.querySelector("span").textContent = one.path;
  for (const [cell, text] of [[time, one.time], [operation, one.operation], [verdict, one.verdict], [status, one.status], [code, one.code], [caller, one.caller], [took, one.took]]) cell.textContent = text;
  caller.title = one.caller;
  return tr;
}

let unspoken = [];

// announce tells a screen reader at most every two seconds, and in one sentence.
function announce() {
  if (unspoken.length === 0) return;
  const last = unspoken[unspoken.length - 1];
  const many = unspoken.length > 1 ? unspoken.length + " new requests; the newest: " : "";
  document.getElementById("news").textContent = `${many}${last.method} ${last.path} ${last.verdict}, ${last.code}`;
  unspoken = [];
}

function add(one) {
  const body = table.tBodies[0], fresh = rowFrom(one);
  const old = body.querySelector(`tr[data-number="${Number(one.number)}"]`);
  document.getElementById("empty")?.remove();
  if (old) {
    const held = old.contains(document.activeElement);
    old.replaceWith(fresh);
    if (held) fresh.querySelector("a").focus();
    return;
  }
  body.prepend(fresh);
  const last = body.lastElementChild;
  if (body.children.length > Number(table.dataset.most) && !last.contains(document.activeElement)) last.remove();
  unspoken.push(one);
  stale = true;
}

let newest = table ? Number(table.dataset.newest) : 0, events = null;

// open begins where the page is; the browser itself tries again after a loss.
function open() {
  const live = document.getElementById("live");
  const query = new URLSearchParams(location.search);
  query.delete("all");
  query.set("after", newest);
  events = new EventSource("/stream?" + query);
  events.onopen = () => { live.textContent = "Live: new requests appear on top."; };
  events.onerror = () => { live.textContent = "The local run doesn't answer; trying again."; };
  events.onmessage = (message) => {
    const one = JSON.parse(message.data);
    newest = Math.max(newest, one.number);
    add(one);
  };
}

function close() {
  events?.close();
  events = null;
}

// listen holds a connection only while the page is seen: a browser has few for one server.
function listen() {
  open();
  document.addEventListener("visibilitychange", () => { close(); if (!document.hidden) open(); });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); });
  setInterval(announce, 2000);
}

// Limits filling up: the page's own part, rendered by the server, is fetched again.

let stale = false, fetching = false, idle = 0;

async function refill() {
  const here = document.getElementById("limits");
  if (fetching || document.hidden || here.contains(document.activeElement)) return;
  if (table && !stale && ++idle < 5) return; // counts end by themselves, too
  fetching = true;
  stale = false;
  idle = 0;
  try {
    const answer = await fetch(table ? "/limits?few=1" : "/limits");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("limits");
    if (answer.ok && fresh && fresh.innerHTML !== here.innerHTML) here.replaceChildren(...document.adoptNode(fresh).childNodes);
  } catch {
    // The stream says that the local run is gone.
  } finally {
    fetching = false;
  }
}

// Keys.

function links() { return table ? [...table.querySelectorAll("tbody th a")] : []; }

function move(by) {
  const all = links(), at = all.indexOf(document.activeElement);
  const to = at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1);
  all[to]?.focus();
  all[to]?.scrollIntoView({ block: "nearest" });
}

function follow(id) { document.getElementById(id)?.click(); }

function again() {
  const row = document.activeElement?.closest?.("tr[data-number]");
  if (row) location.href = "/send?of=" + Number(row.dataset.number);
  else follow("again");
}

function typing(target) { return target.closest("input:not([type=checkbox]):not([type=radio]), select, textarea"); }

function escape(target) {
  if (typing(target)) target.blur();
  else if (!table && location.pathname !== "/") location.href = "/";
  else document.activeElement?.blur();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const help = document.getElementById("help");
  if (help.open) return; // the dialog closes itself on Esc
  if (event.key === "Escape") return escape(event.target);
  if (typing(event.target)) return;
  const inTable = links().includes(document.activeElement);
  const letters = document.getElementById("letters").checked;
  const act = {
    ArrowDown: inTable && (() => move(1)), ArrowUp: inTable && (() => move(-1)),
    j: letters && (() => (table ? move(1) : follow("older"))), k: letters && (() => (table ? move(-1) : follow("newer"))),
    r: letters && again, "?": letters && (() => help.showModal()),
    "/": letters && (() => { const q = document.getElementById("q"); if (q) { q.focus(); q.select(); } else location.href = "/#q"; }),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function start() {
  const keys = document.getElementById("keys"), letters = document.getElementById("letters");
  keys.hidden = false;
  keys.addEventListener("click", () => document.getElementById("help").showModal());
  letters.checked = localStorage.getItem("letters") !== "off";
  letters.addEventListener("change", () => localStorage.setItem("letters", letters.checked ? "on" : "off"));
  document.addEventListener("keydown", onKey);
  if (location.hash === "#q") document.getElementById("q")?.focus();
  if (table) listen();
  if (document.getElementById("limits")) setInterval(refill, 2000);
  document.querySelector("[role=alert], #answer")?.scrollIntoView({ block: "nearest" });
}

start();
