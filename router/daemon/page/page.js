"use strict";
// Shows status.json, and reads it again every few seconds. Names from Connect enter the page as text only.

const EVERY_MS = 5000;
const LITTLE_LEFT = 0.8;
const WORD_CLASS = { well: "well", failing: "bad", degraded: "bad" };
// Shows control and direction characters as codes, as the terminal does: they could reorder the text around a name.
const plain = (text) =>
  String(text).replace(/[\p{Cc}\p{Cf}]/gu, (char) => `\\u${char.codePointAt(0).toString(16).padStart(4, "0")}`);
const at = (id) => document.getElementById(id);

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.map((child) => (child instanceof Node ? child : plain(child))));
  return made;
}

function span(seconds) {
  const parts = [];
  let left = Math.max(Math.floor(seconds), 0);
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]]) {
    const count = Math.floor(left / size);
    left %= size;
    if (count || parts.length) parts.push([count, unit]);
  }
  return parts.slice(0, 2).filter(([count]) => count).map(([count, unit]) => `${count}${unit}`).join("") || "0s";
}

const between = (from, to) => (Date.parse(to) - Date.parse(from)) / 1000;
const pressure = (used) => (used >= 1 ? "bad" : used >= LITTLE_LEFT ? "warn" : "well");
const percent = (used) => `${Math.floor(used * 100)}%`;
const row = (left, right) => element("div", "row", left, element("span", "soft figures", right));

function bar(used) {
  const inside = element("div", "");
  inside.style.width = `${Math.min(used, 1) * 100}%`;
  const made = element("div", `bar ${pressure(used)}`, inside);
  made.setAttribute("aria-hidden", "true");
  return made;
}

function queue(one) {
  const figures = [`${one.waiting} waiting`];
  if (one.due) figures.push(`${one.due} due`);
  if (one.late) figures.push(`${one.late} late`);
  if (one.oldest_s !== null) figures.push(`oldest ${span(one.oldest_s)}`);
  const item = element("li", "", row(element("strong", "", one.queue), figures.join(", ")));
  if (one.used === null) {
    item.append(element("div", "soft", one.ungoverned ? "no rule looks after it" : "no promise"));
  } else {
    const used = element("span", pressure(one.used), `${percent(one.used)} of the promise is used`);
    item.append(row(used, `promise ${span(one.promise_s)}`), bar(one.used));
  }
  return item;
}

function move(one, status) {
  const to = one.to_queue ?? `agent ${one.to_agent}`;
  const detail = [one.rule, one.landing ?? "", one.contact_id.slice(0, 8)].filter(Boolean).join(", ");
  const way = element("strong", "", `${one.from_queue} → ${to}`);
  return element("li", "", row(way, `${span(between(one.at, status.now))} ago`), element("div", "soft", detail));
}

function due(one, status) {
  const detail = [one.rule ?? "no rule", one.contact_id.slice(0, 8)].join(", ");
  const where = element("strong", "", one.queue ?? "no queue");
  return element("li", "", row(where, `in ${span(between(status.now, one.due_at))}`), element("div", "soft", detail));
}

function held(one) {
  const detail = [one.detail || one.reason, one.rule, one.contact_id.slice(0, 8)].filter(Boolean).join(", ");
  const late = one.late_s === null ? "" : `${span(one.late_s)} late`;
  return element("li", "", row(element("strong", "", one.queue ?? "no queue"), late), element("div", "soft", detail));
}

function* problems(status) {
  if (status.rules.refused) yield* status.rules.refused.errors.map((line) => `refused: ${line}`);
  yield* status.rules.unresolved;
  yield* status.suspended_flows.map((flow) => `the flow ${flow} is suspended`);
  yield* status.pauses.map((one) => `${one.what} ${one.name} is paused by ${one.who}: ${one.comment}`);
  yield* status.stray_contacts.map((one) => `${one.contact_id.slice(0, 8)} has not landed, flow ${one.flow}`);
  if (status.drain_s !== null) yield `limits and quotas hold contacts back: ${span(status.drain_s)} to drain`;
}

function fill(id, items, empty) {
  const list = at(id).querySelector("ul");
  list.replaceChildren(...(items.length ? items : [element("li", "soft", empty)]));
}

function show(status) {
  const { word, reason } = status.health;
  at("mode").textContent = `${status.version}, ${status.mode}`;
  at("word").textContent = word;
  at("word").className = WORD_CLASS[word] ?? "warn";
  at("reason").textContent = plain(reason);
  const up = span(between(status.started_at, status.now));
  const cycle = status.cycle ? `, cycle ${status.cycle.cycle}: ${status.cycle.waiting} waiting` : "";
  at("facts").textContent = `instance ${status.instance}, rules: ${status.rules.count}, up for ${up}${cycle}`;
  document.title = `${word} · connect-router`;
  const found = [...problems(status)];
  at("problems").hidden = !found.length;
  fill("problems", found.map((line) => element("li", "", line)), "");
  fill("queues", status.queues.map(queue), "nothing waits");
  fill("moves", status.last_moves.map((one) => move(one, status)), "none in the last hour");
  const reasons = Object.entries(status.held).sort((one, other) => other[1] - one[1]);
  fill("reasons", reasons.map(([why, count]) => element("li", "", row(element("strong", "", why), count))), "nothing");
  fill("held", status.held_contacts.map(held), "no contact");
  fill("due", status.next_due.map((one) => due(one, status)), "nothing is known");
}

async function look() {
  try {
    const answer = await fetch("status.json", { cache: "no-store", signal: AbortSignal.timeout(EVERY_MS) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    show(await answer.json());
    document.body.classList.remove("stale");
  } catch (error) {
    document.body.classList.add("stale");
    at("word").textContent = "no answer";
    at("word").className = "bad";
    at("reason").textContent = `the router does not reply, and these figures are old (${error.message})`;
  }
}

async function follow() {
  if (!document.hidden) await look();
  setTimeout(follow, EVERY_MS);
}

document.addEventListener("visibilitychange", () => document.hidden || look());
follow();
