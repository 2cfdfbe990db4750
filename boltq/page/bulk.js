// The same done to many jobs: counted first, shown, confirmed, and then watched and stopped.

import { ask, inPath, post } from "./ask.js";
import { html, useEffect, useState } from "./html.js";
import { person } from "./kept.js";
import { kinds, OperationRow } from "./operation.js";
import { nowMs } from "./live.js";
import { Button, Dialog, Field, Problem, STATE_WORDS, Time } from "./parts.js";
import { to } from "./route.js";
import { many, number } from "./shown.js";
import { operationSnippets, Snippets } from "./snippets.js";
import { t } from "./words.js";

const TYPED_FROM = 1000;
const MOST_QUEUES = 20;
const COUNT_MS = 300;
const WATCH_MS = 700;

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

/** The queues in which the jobs of a filter may be, as the server knows it now. */
async function queuesOf(filter) {
  if (filter.queue) return [filter.queue];
  const seen = (await ask("GET", "/api/overview")).json();
  return seen.queues.filter((one) => one[filter.state] > 0).map((one) => one.queue);
}

async function counted(action, queue, filter, isOn) {
  let one = (await post("/api/operations", { action, queue, filter, dry_run: true })).json();
  while (!one.ended_at && isOn()) {
    await pause(COUNT_MS);
    one = { ...(await ask("GET", `/api/operations/${inPath(one.id)}`)).json(), sample: one.sample };
  }
  return one;
}

/**
 * `filter`: { state, queue, type, error, worker, since, until }. What comes into the state after the dialog was
 * opened is not meant, whatever happens meanwhile: the filter ends at that time.
 */
export function Bulk({ action, filter, onClose }) {
  const [until] = useState(() => filter.until ?? new Date(nowMs() + 1).toISOString());
  const [counts, count] = useState(null);
  const [begun, begin] = useState([]);
  const [problem, tell] = useState(null);
  const [typed, type] = useState("");
  const [rate, setRate] = useState("");
  const kind = kinds[action];
  const [queues, setQueues] = useState([]);
  const hasClock = ["dead", "completed", "cancelled", "queued", "running"].includes(filter.state);
  const asked = Object.fromEntries(Object.entries({ state: filter.state, type: filter.type, error: filter.error, worker: filter.worker, since: filter.since, until: hasClock || filter.until ? until : undefined }).filter(([, value]) => value));
  useEffect(() => {
    let isOn = true;
    (async () => {
      try {
        const found = [];
        const all = await queuesOf(filter);
        if (isOn) setQueues(all);
        for (const queue of all.slice(0, MOST_QUEUES)) {
          found.push({ queue, ...(await counted(action, queue, asked, () => isOn)) });
          if (!isOn) return;
        }
        count(found);
      } catch (error) { if (isOn) tell(error); }
    })();
    return () => { isOn = false; };
  }, []);
  useEffect(() => {
    if (!begun.length || begun.every((one) => one.ended_at)) return undefined;
    const timer = setTimeout(async () => {
      try { begin(await Promise.all(begun.map(async (one) => (one.ended_at ? one : (await ask("GET", `/api/operations/${inPath(one.id)}`)).json())))); } catch (error) { tell(error); }
    }, WATCH_MS);
    return () => clearTimeout(timer);
  }, [begun]);
  const all = counts?.reduce((sum, one) => sum + one.counted, 0) ?? 0;
  const sample = counts?.flatMap((one) => one.sample ?? []) ?? [];
  const isTyped = !kind.isSafe || all >= TYPED_FROM;
  const isSure = !isTyped || typed.replaceAll(/[\s.,]/g, "") === String(all);
  const start = async (event) => {
    event.preventDefault();
    const started = [];
    try {
      for (const one of counts.filter((each) => each.counted)) {
        started.push((await post("/api/operations", { action, queue: one.queue, filter: asked, expected_count: one.counted, rate_per_second: Number(rate) || 0, by: person.value })).json());
      }
    } catch (error) { tell(error); }
    begin(started);
  };
  const words = [[t("state"), STATE_WORDS[filter.state] ?? filter.state], [t("queue"), filter.queue || t("any")], [t("type"), filter.type], [t("last error"), filter.error], [t("worker"), filter.worker], [t("since"), filter.since && html`<${Time} at=${filter.since} as="local" />`], hasClock && [t("until"), html`<${Time} at=${until} as="local" />`]];
  return html`<${Dialog} title=${kind.title} onClose=${onClose} kind="large">
    <form onSubmit=${start}>
      <div class="body">
        <dl class="facts">${words.filter((one) => one && one[1]).map(([name, value]) => html`<dt key=${name}>${name}</dt><dd>${value}</dd>`)}</dl>
        ${queues.length > MOST_QUEUES && html`<p class="notice warn">${t("Only the first {most} of {count} queues: choose a queue for the others.", { most: MOST_QUEUES, count: number(queues.length) })}</p>`}
        ${begun.length ? html`<div class="stack" role="status" aria-live="polite">${begun.map((one) => html`<${OperationRow} key=${one.id} one=${one} />`)}</div>`
        : counts === null && !problem ? html`<p class="quiet" role="status">${t("Counting…")}</p>`
        : counts && html`
          <p class="large">${kind.will(all)} ${counts.length > 1 && many(counts.filter((one) => one.counted).length, "They are in {n} queue.", "They are in {n} queues.")} ${t("What comes later is not touched.")}</p>
          ${sample.length > 0 && html`<div class="sample scroll" tabindex="0" role="region" aria-label=${t("some of them")}><table><thead><tr><th scope="col">${t("some of them")}</th><th scope="col">${t("id")}</th><th scope="col">${t("last error")}</th></tr></thead><tbody>${sample.slice(0, 10).map((job) => html`<tr key=${job.id}><td>${job.type}</td><td class="mono quiet">${job.id}</td><td><span class="clip">${job.errors[0]?.message || job.errors[0]?.type || ""}</span></td></tr>`)}</tbody></table></div>`}
          ${all > 0 && html`<div class="fields">
            <${Field} label=${t("At most a second")} note=${t("empty: as fast as it goes")}><input type="number" min="0" max="100000" value=${rate} onInput=${(event) => setRate(event.target.value)} /><//>
            ${isTyped && html`<${Field} label=${t("Type {what} to confirm", { what: all })}><input value=${typed} onInput=${(event) => type(event.target.value)} inputmode="numeric" autocomplete="off" /><//>`}
          </div>
          <details><summary>${t("The same elsewhere")}</summary>${counts.filter((one) => one.counted).map((one) => html`<${Snippets} key=${one.queue} of=${operationSnippets(action, one.queue, asked, one.counted)} />`)}</details>`}`}
        <${Problem} error=${problem} />
      </div>
      <div class="foot">
        ${begun.length ? html`<a class="button plain" href=${to("operations")} onClick=${onClose}>${t("All operations")}</a><${Button} kind="first" onClick=${onClose}>${begun.every((one) => one.ended_at) ? t("Close") : t("Let it go on")}<//>`
        : html`<${Button} onClick=${onClose}>${t("Leave it")}<//><${Button} type="submit" icon=${kind.icon} kind=${kind.isSafe ? "first" : "first danger"} disabled=${!all || !isSure}>${all ? kind.all(number(all)) : kind.verb}<//>`}
      </div>
    </form>
  <//>`;
}
