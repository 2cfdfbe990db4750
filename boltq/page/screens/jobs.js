// Jobs: found by state, queue, type, error, worker, time and id.

import { inPath } from "../ask.js";
import { Bulk } from "../bulk.js";
import { html, useEffect, useState } from "../html.js";
import { Icon } from "../icons.js";
import { JobList, useJobs } from "../joblist.js";
import { views } from "../kept.js";
import { may, nowMs, overview } from "../live.js";
import { ask } from "../ask.js";
import { Button, Card, Choice, Dialog, FILTER_WORDS, Head, say, sentence, STATES, STATE_WORDS } from "../parts.js";
import { go, refine, route, to } from "../route.js";
import { many, short } from "../shown.js";
import { jobSnippets, Snippets } from "../snippets.js";
import { t } from "../words.js";

const ID = /^([A-Za-z0-9][\w.-]*:)?\d{14}-[a-z0-9]{13}$/;
const WORDS = ["type", "error", "worker", "queue", "state", "since", "until", "id", "text"];
const MOST_VIEWS = 12;
const SPANS = [["", t("any time")], ["15m", t("last 15 min")], ["1h", t("last hour")], ["24h", t("last day")], ["7d", t("last week")]];
const UNIT_MS = { m: 60e3, h: 3600e3, d: 86400e3 };

/** "1h" as the time an hour ago, to the minute, so that the filter stays the same; else as it is. */
export function sinceOf(text) {
  const span = /^(\d+)([mhd])$/.exec(text ?? "");
  if (!span) return text ?? "";
  const at = nowMs() - Number(span[1]) * UNIT_MS[span[2]];
  return new Date(Math.floor(at / 60e3) * 60e3).toISOString().replace(".000Z", "Z");
}

/** `type:send error:Timeout` as a filter; other words, and what stands in quotes, are a text of the payload. */
export function read(text) {
  const told = {};
  const others = [];
  for (const word of text.match(/\w+:"[^"]*"|"[^"]*"|\S+/g) ?? []) {
    const [name, ...rest] = word.split(":");
    if (ID.test(word)) told.id = word;
    else if (WORDS.includes(name) && rest.length) told[name] = rest.join(":").replace(/^"|"$/g, "");
    else others.push(word.replace(/^"|"$/g, ""));
  }
  if (others.length) told.text = others.join(" ");
  return told;
}

/** `all` is what it is called where it is done to all that the filter finds. */
const DOES = [
  { name: "replay", words: t("Replay"), all: t("Replay all"), icon: "again", states: ["dead"], method: "POST", end: "/replay", snippets: jobSnippets.replay },
  { name: "run_now", words: t("Run now"), all: t("Run now all"), icon: "running", states: ["scheduled", "retrying"], method: "POST", end: "/run", snippets: jobSnippets.run },
  { name: "cancel", words: t("Cancel"), all: t("Cancel all"), icon: "close", states: ["scheduled", "queued", "retrying", "running"], method: "POST", end: "/cancel", snippets: jobSnippets.cancel },
  { name: "purge", words: t("Delete"), all: t("Delete all"), icon: "trash", states: ["scheduled", "queued", "retrying", "completed", "cancelled", "dead"], method: "DELETE", end: "", snippets: jobSnippets.drop },
];

/** What can be done to the jobs that are marked, or to all that the filter finds. */
export function Many({ list, marked, clear, filter }) {
  const [bulk, open] = useState(null);
  const [copied, copy] = useState(null);
  const jobs = list.rows.filter((job) => marked.has(job.id));
  const isOne = filter.state && !filter.state.includes(",") && !filter.text;
  const fits = (states) => (jobs.length ? jobs.every((job) => states.includes(job.state)) : isOne && states.includes(filter.state));
  const each = async ({ words, method, end }) => {
    if (method === "DELETE" && !confirmed(jobs.length)) return;
    let done = 0;
    const problems = [];
    for (const job of jobs) {
      try { await ask(method, `/api/jobs/${inPath(job.id)}${end}`); done += 1; } catch (error) { problems.push(sentence(error)); }
    }
    say(`${words}${t(": {why}", { why: many(done, "{n} job", "{n} jobs") })}${problems.length ? t(", not {n}: {why}", { n: problems.length, why: problems[0] }) : ""}`, { isBad: problems.length > 0 });
    clear();
    list.renew();
  };
  const [asking, setAsking] = useState(null);
  const confirmed = (count) => asking === count || (setAsking(count), say(many(count, "Press once more to delete {n} job for good.", "Press once more to delete {n} jobs for good.")), false);
  const offered = DOES.filter((one) => fits(one.states));
  const isShown = jobs.length > 0 || (isOne && list.rows.length > 0 && offered.length > 0);
  return html`
    ${may("admin") && isShown && html`<div class="bulk" role="group" aria-label=${t("Actions")}>
      <span>${jobs.length ? many(jobs.length, "{n} job marked", "{n} jobs marked") : t("All that match")}</span>
      ${offered.map((one) => html`<${Button} key=${one.name} kind="small ${one.name === "purge" ? "danger" : ""}" icon=${one.icon} onClick=${() => (jobs.length ? each(one) : open(one.name))}>${jobs.length ? one.words : one.all}<//>`)}
      ${!offered.length && html`<span class="quiet">${t("Nothing can be done to all of them: they are in different states.")}</span>`}
      ${jobs.length > 0 && offered.length > 0 && html`<${Button} kind="small plain" icon="copy" onClick=${() => copy({ ids: jobs.map((job) => job.id), offered })}>${t("The same elsewhere")}<//>`}
      ${jobs.length > 0 && html`<${Button} kind="small plain" onClick=${clear}>${t("Unmark")}<//>`}
    </div>`}
    ${copied && html`<${Copied} ...${copied} onClose=${() => copy(null)} />`}
    ${bulk && html`<${Bulk} action=${bulk} filter=${filter} onClose=${() => { open(null); list.renew(); }} />`}`;
}

/** What is done to the jobs that were marked when it was opened, whatever became of them since. */
function Copied({ ids, offered, onClose }) {
  const [action, choose] = useState(offered[0].name);
  const { words, snippets } = offered.find((one) => one.name === action);
  return html`<${Dialog} title=${t("The same elsewhere")} onClose=${onClose} kind="large">
    <div class="body">
      <div class="row apart"><span>${many(ids.length, "{n} job marked", "{n} jobs marked")}</span>
      ${offered.length > 1 ? html`<${Choice} label=${t("What is done")} options=${offered.map((one) => [one.name, one.words])} value=${action} onChange=${choose} />` : html`<b>${words}</b>`}</div>
      <${Snippets} of=${snippets(...ids)} />
    </div>
  <//>`;
}

/** A set of ids that rows are marked in. */
export function useMarks(key) {
  const [marked, set] = useState(new Set());
  useEffect(() => set(new Set()), [key]);
  const mark = (id, is) => set((before) => { const next = new Set(before); if (is) next.add(id); else next.delete(id); return next; });
  return [marked, mark, () => set(new Set())];
}

export function Search({ query, id = "search" }) {
  const [text, write] = useState("");
  const find = (event) => {
    event.preventDefault();
    const told = read(text);
    if (told.id) go(to("jobs", told.id));
    else if (Object.keys(told).length) { refine(told); write(""); }
  };
  return html`<form class="grow search" role="search" onSubmit=${find}><input data-search id=${id} type="search" value=${text} onInput=${(event) => write(event.target.value)} aria-label=${t("Find jobs")} placeholder=${t("text of the payload, an id, type:send, error:Timeout, worker:web-1")} spellcheck=${false} autocomplete="off" /></form>`;
}

export function Tokens({ query, names }) {
  const on = names.filter((name) => query[name]);
  if (!on.length) return null;
  return html`${on.map((name) => html`<button key=${name} type="button" class="button small" onClick=${() => refine({ [name]: "" })} title=${t("Take it away")}><span class="quiet">${FILTER_WORDS[name]}</span> ${query[name]}<${Icon} name="close" size="12" /></button>`)}`;
}

/** Filters under names, in this browser. */
function Views({ query }) {
  const [name, write] = useState(null);
  const address = to("jobs", "", query);
  const save = (event) => {
    event.preventDefault();
    if (name.trim()) views.value = [...views.value.filter((one) => one.name !== name.trim()), { name: name.trim(), address }].slice(-MOST_VIEWS);
    write(null);
  };
  const drop = (one) => { views.value = views.value.filter((each) => each !== one); };
  if (!views.value.length && !Object.keys(query).length) return null;
  return html`<span class="row views">
    ${views.value.map((one) => html`<span key=${one.name} class="view ${one.address === address ? "chosen" : ""}"><a href=${one.address}>${one.name}</a><button type="button" class="bare" aria-label=${t("Forget {what}", { what: one.name })} onClick=${() => drop(one)}><${Icon} name="close" size="11" /></button></span>`)}
    ${name === null ? Object.keys(query).length > 0 && !views.value.some((one) => one.address === address) && html`<${Button} kind="small plain" icon="plus" onClick=${() => write("")}>${t("Keep this filter")}<//>`
    : html`<form class="row" onSubmit=${save}><input aria-label=${t("Name of the filter")} placeholder=${t("its name")} maxlength="40" value=${name} onInput=${(event) => write(event.target.value)} /><${Button} kind="small" type="submit" icon="check">${t("Keep")}<//></form>`}
  </span>`;
}

export function Jobs() {
  const { query } = route.value;
  const filter = { state: query.state, queue: query.queue, type: query.type, error: query.error, worker: query.worker, text: query.text, since: sinceOf(query.since), until: query.until, order: query.order };
  const list = useJobs(filter);
  const [marked, mark, clear] = useMarks(JSON.stringify(query));
  const seen = overview.value;
  const counts = query.queue ? seen?.queues.find((one) => one.queue === query.queue) : seen?.total;
  const states = [["", t("all")], ...STATES.map((name) => [name, STATE_WORDS[name], short(counts?.[name] ?? 0)])];
  const queues = [...new Set([...(query.queue ? [query.queue] : []), ...(seen?.queues.map((one) => one.queue) ?? [])])];
  return html`<${Head} title=${t("Jobs")} under=${t("Newest first. What is new while you read waits above the list.")}>
      <a class="button" href=${to("playground")}><${Icon} name="plus" size="14" />${t("Enqueue a job")}</a>
    <//>
    <${Card}>
      <div class="filters">
        <${Search} query=${query} />
        <select aria-label=${t("Queue")} value=${query.queue ?? ""} onChange=${(event) => refine({ queue: event.target.value })}><option value="">${t("any queue")}</option>${queues.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}</select>
        <select aria-label=${t("Since")} value=${query.since ?? ""} onChange=${(event) => refine({ since: event.target.value })}>${SPANS.map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}</select>
        <${Choice} label=${t("Order")} options=${[["", t("newest")], ["oldest", t("oldest")]]} value=${query.order ?? ""} onChange=${(order) => refine({ order })} />
      </div>
      <div class="filters"><${Choice} label=${t("State")} options=${states} value=${query.state ?? ""} onChange=${(state) => refine({ state })} /><${Tokens} query=${query} names=${["type", "error", "worker", "text", "until"]} /><${Views} query=${query} /></div>
      <${JobList} list=${list} marked=${marked} mark=${mark} hint=${Object.keys(query).length ? html`<p><a href=${to("jobs")}>${t("Look at all jobs")}</a></p>` : html`<p><a href=${to("playground")}>${t("Enqueue a job")}</a></p>`} label=${t("Jobs")} />
    <//>
    <${Many} list=${list} marked=${marked} clear=${clear} filter=${filter} />`;
}
