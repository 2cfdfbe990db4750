// One job: where it stands and why, what it has been through, what it holds, and what can be done.

import { inPath, post } from "../ask.js";
import { faults, JobFields } from "../compose.js";
import { laidOut } from "../exact.js";
import { html, useState } from "../html.js";
import { Icon } from "../icons.js";
import { clock } from "../kept.js";
import { may, overview, workersOf } from "../live.js";
import { act, attempt, Bar, Button, Card, Copy, Dialog, Empty, Head, Problem, QueueLink, State, STATE_WORDS, Time } from "../parts.js";
import { usePoll } from "../poll.js";
import { readJob } from "../readjob.js";
import { go, to } from "../route.js";
import { lasting, many, number, percent } from "../shown.js";
import { Actions as Elsewheres, bodyOf, Elsewhere, enqueueSnippets, jobSnippets } from "../snippets.js";
import { Viewer } from "../viewer.js";
import { why } from "../why.js";
import { t } from "../words.js";

/** Whether the API keeps back parts of what the job holds under a name. */
const hides = (job, name) => job.redacted?.includes(name) ?? false;

const ENDED = ["completed", "cancelled", "dead"];
const RESTS = ["scheduled", "queued", "retrying"];

/** What a job has been through, oldest first, as far as it is kept. */
export function past(job) {
  const events = [{ at: job.created_at, what: t("enqueued"), is: "queued" }];
  for (const error of job.errors) {
    const isLost = error.type === "LeaseLost";
    events.push({ at: error.at, what: isLost ? t("attempt {n} lost its worker", { n: error.attempt }) : t("attempt {n} failed", { n: error.attempt }), is: "retrying", worker: error.worker, error });
  }
  if (job.started_at) events.push({ at: job.started_at, what: t("attempt {n} started", { n: job.attempt }), is: "running", worker: job.worker });
  if (ENDED.includes(job.state) && job.finished_at) events.push({ at: job.finished_at, what: STATE_WORDS[job.state], is: job.state });
  events.sort((a, b) => new Date(a.at) - new Date(b.at));
  if (["scheduled", "retrying"].includes(job.state)) events.push({ at: job.run_at, what: job.state === "retrying" ? t("tried again") : t("due"), is: job.state, isAhead: true });
  if (job.state === "running") events.push({ at: job.lease_expires_at, what: t("lease ends, if it is not extended"), is: "running", isAhead: true });
  if (ENDED.includes(job.state) && job.kept_until) events.push({ at: job.kept_until, what: t("forgotten"), is: "cancelled", isAhead: true });
  return events;
}

function Past({ job }) {
  const events = past(job);
  const missing = job.failures + (job.lost ?? 0) - job.errors.length;
  return html`<${Card} title=${t("What it has been through")} aside=${many(job.attempt, "{n} attempt of {most}", "{n} attempts of {most}", { most: number(job.max_attempts) })}>
    <ol class="line">
      ${events.map((one, i) => {
        const gap = i ? (new Date(one.at) - new Date(events[i - 1].at)) / 1000 : 0;
        return html`<li key=${`${one.what} ${one.at}`} class="${one.is} ${one.isAhead ? "ahead" : ""}">
          <div class="what"><span class="strong">${one.what}</span>${one.worker && html`<span class="quiet break">${one.worker}</span>`}<${Time} at=${one.at} /></div>
          ${gap >= 0.001 && !one.isAhead && html`<div class="gap">${t("{time} later", { time: lasting(gap) })}</div>`}
          ${one.error && one.error.type !== "LeaseLost" && html`<div class="error"><b>${one.error.type}</b> ${one.error.message}</div>
            ${one.error.stack && html`<details open=${i === events.length - 2 && job.state === "dead"}><summary>${t("Stack")}</summary><pre tabindex="0">${one.error.stack}</pre></details>`}`}
        </li>`;
      })}
    </ol>
    ${missing > 0 && html`<p class="under-table">${many(missing, "{n} earlier failure is not kept any more: the last {most} are.", "{n} earlier failures are not kept any more: the last {most} are.", { most: job.errors.length })}</p>`}
  <//>`;
}

/** What its handler says of itself: how far it is, and the lines of its own log. */
function Says({ job }) {
  const { progress, log = [] } = job;
  if (!progress && !log.length) return null;
  const isOn = job.state === "running";
  return html`<${Card} title=${t("What its handler says")} aside=${progress && percent(progress.share)}>
    ${progress && html`<div class="body stack tight" role="status" aria-live="polite">
      <${Bar} part=${progress.share} of=${1} kind="full ${isOn ? "running" : "completed"}" label=${percent(progress.share)} />
      <p class="small quiet">${progress.text && `${progress.text}, `}${t("attempt {n}", { n: progress.attempt })}, <${Time} at=${progress.at} /></p></div>`}
    ${log.length > 0 && html`<ol class="log" tabindex="0" aria-label=${t("Its log")}>${log.map((one, i) => html`<li key=${`${one.at} ${i}`}><span class="quiet num"><${Time} at=${one.at} as=${clock.value === "utc" ? "utc" : "local"} /></span><span class="quiet">${one.attempt}</span><span class="mono break">${one.line}</span></li>`)}</ol>`}
  <//>`;
}

function Facts({ job }) {
  const row = (name, value) => value !== undefined && value !== "" && html`<dt>${name}</dt><dd>${value}</dd>`;
  return html`<${Card} title=${t("Facts")}><dl class="facts body">
    ${row(t("queue"), html`<${QueueLink} name=${job.queue} />`)}
    ${row(t("priority"), job.priority === 4 ? t("{n}, as most", { n: job.priority }) : job.priority)}
    ${row(t("attempt"), t("{n} of {most}", { n: job.attempt, most: job.max_attempts }))}
    ${row(t("failures"), job.failures || undefined)}${row(t("lost leases"), job.lost)}
    ${row(t("worker"), job.worker && html`<a class="link mono" href=${to("jobs", "", { worker: job.worker })}>${job.worker}</a>`)}
    ${row(t("enqueued"), html`<${Time} at=${job.created_at} />`)}
    ${job.run_at && RESTS.includes(job.state) && row(t("due"), html`<${Time} at=${job.run_at} />`)}
    ${job.started_at && row(t("started"), html`<${Time} at=${job.started_at} />`)}
    ${job.finished_at && row(t("ended"), html`<${Time} at=${job.finished_at} />`)}
    ${job.kept_until && row(t("kept until"), html`<${Time} at=${job.kept_until} />`)}
  </dl><//>`;
}

/** The same job again, as a new one, with what is to be different. */
function Again({ job, onClose }) {
  const [next, change] = useState({
    type: job.type, queue: job.queue, payload: laidOut(job.raw.payload ?? "null").pieces.map(([, part]) => part).join(""),
    priority: job.priority, max_attempts: job.max_attempts,
  });
  const [problem, tell] = useState(null);
  const wrong = Object.keys(faults(next)).length > 0;
  const send = async (event) => {
    event.preventDefault();
    try {
      const made = (await post("/api/jobs", bodyOf(next))).json();
      onClose();
      go(to("jobs", made.id));
    } catch (error) { tell(error); }
  };
  return html`<${Dialog} title=${t("Enqueue it again")} onClose=${onClose} kind="large"><form onSubmit=${send}>
    <div class="body"><p class="quiet">${t("A new job with an id of its own. This one stays as it is.")}</p>
      <${JobFields} job=${next} change=${change} queues=${overview.value?.queues.map((one) => one.queue) ?? []} rows=${12} /><${Problem} error=${problem} />
      ${!wrong && html`<${Elsewhere} of=${enqueueSnippets(next)} />`}</div>
    <div class="foot"><${Button} onClick=${onClose}>${t("Leave it")}<//><${Button} type="submit" kind="first" icon="plus" disabled=${wrong}>${t("Enqueue")}<//></div>
  </form><//>`;
}

function Delete({ job, onClose }) {
  const drop = async () => {
    onClose();
    if (await act("DELETE", `/api/jobs/${inPath(job.id)}`, undefined, t("It is deleted, with all that was kept of it."))) history.back();
  };
  return html`<${Dialog} title=${t("Delete this job?")} onClose=${onClose}>
    <div class="body"><p>${t("Its payload, result and errors go, too. Nothing brings it back.")}</p><p class="mono break">${job.id}</p><${Elsewhere} of=${jobSnippets.drop(job.id)} /></div>
    <div class="foot"><${Button} onClick=${onClose}>${t("Keep it")}<//><${Button} kind="danger first" icon="trash" onClick=${drop}>${t("Delete")}<//></div>
  <//>`;
}

function Actions({ job, look }) {
  const [open, setOpen] = useState("");
  const path = `/api/jobs/${inPath(job.id)}`;
  const isAdmin = may("admin");
  const rests = RESTS.includes(job.state);
  const does = async (end, said, headers) => { await attempt(() => post(`${path}${end}`, undefined, { headers }), said); look(); };
  return html`
    ${rests && html`<label class="row small soft">${t("Priority")} <select value=${job.priority} disabled=${!isAdmin} onChange=${async (event) => { await act("PATCH", path, { priority: Number(event.target.value) }, t("Priority {n}.", { n: event.target.value })); look(); }}>${[9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((one) => html`<option key=${one}>${one}</option>`)}</select></label>`}
    ${["scheduled", "retrying"].includes(job.state) && html`<${Button} icon="running" kind="first" disabled=${!isAdmin} onClick=${() => does("/run", t("Its time has come."))}>${t("Run now")}<//>`}
    ${job.state === "dead" && html`<${Button} icon="again" kind="first" disabled=${!isAdmin} onClick=${() => does("/replay", t("It is queued again, with fresh attempts."))}>${t("Replay")}<//>`}
    ${(rests || job.state === "running") && html`<${Button} icon="close" disabled=${!isAdmin || job.cancel_asked} onClick=${() => does("/cancel", job.state === "running" ? t("Its worker is asked to stop.") : t("Cancelled."))}>${t("Cancel")}<//>`}
    <${Button} icon="edit" disabled=${!may("enqueue") || hides(job, "payload")} title=${hides(job, "payload") ? t("Parts of its payload are shown to nobody, and so they cannot be enqueued from here") : undefined} onClick=${() => setOpen("again")}>${t("Edit and enqueue again")}<//>
    ${job.state !== "running" && html`<${Button} icon="trash" kind="danger" disabled=${!isAdmin} onClick=${() => setOpen("delete")} title=${t("Delete it")}>${t("Delete")}<//>`}
    ${open === "again" && html`<${Again} job=${job} onClose=${() => setOpen("")} />`}
    ${open === "delete" && html`<${Delete} job=${job} onClose=${() => setOpen("")} />`}`;
}

/** What can be done to a job as it stands, the likeliest first, to be copied. */
function elsewhere(job) {
  const rests = RESTS.includes(job.state);
  return [
    job.state === "dead" && ["replay", t("replay it"), jobSnippets.replay(job.id)],
    ["scheduled", "retrying"].includes(job.state) && ["run", t("run it now"), jobSnippets.run(job.id)],
    (rests || job.state === "running") && ["cancel", t("cancel it"), jobSnippets.cancel(job.id)],
    ["show", t("show it"), jobSnippets.show(job.id)],
    rests && ["alter", t("priority {n}", { n: job.priority }), jobSnippets.alter(job.id, { priority: job.priority })],
    job.state !== "running" && ["drop", t("delete it"), jobSnippets.drop(job.id)],
  ].filter(Boolean);
}
const unquoted = (json) => { try { return JSON.parse(json); } catch { return json; } };

export function Job({ id }) {
  const poll = usePoll(`/api/jobs/${inPath(id)}`, { every: 1, read: readJob });
  const job = poll.value.value;
  const problem = poll.problem.value;
  if (!job || problem?.status === 404) {
    return html`<${Head} title=${t("Job")} under=${html`<span class="mono">${id}</span>`} /><div class="card">
      ${problem?.status === 404 ? html`<${Empty} icon="search" title=${t("Nothing is kept of such a job")}>${t("It was never enqueued, or it was deleted, or the time for which its queue keeps jobs is over.")}<//>`
      : problem ? html`<div class="body"><${Problem} error=${problem} /></div>` : html`<${Empty} icon="clock" title=${t("Looking")} />`}</div>`;
  }
  const [is, follows] = why(job, overview.value?.queues.find((one) => one.queue === job.queue), workersOf(job.queue));
  const { raw } = job;
  const view = (name, none) => (raw[`${name}_base64`] ? { json: String(unquoted(raw[`${name}_base64`])), isBytes: true } : { json: raw[name], none, isCut: hides(job, name) });
  return html`<${Head} title=${job.type} under=${html`<span class="row"><${State} name=${job.state} /><span class="mono break">${job.id}</span><${Copy} text=${job.id} what=${t("the id")} /></span>`}>
      <${Actions} job=${job} look=${() => poll.look()} />
    <//>
    <div class="stack">
      <div class="card why ${job.state}"><${Icon} name=${job.state} size="20" /><div><p class="strong">${is}</p><p class="break">${follows}</p></div></div>
      <div class="columns">
        <div class="stack"><${Past} job=${job} /><${Says} job=${job} /><${Facts} job=${job} /></div>
        <div class="stack">
          <${Viewer} title=${t("payload")} ...${view("payload", t("It is not kept any more: large payloads go when a job completes."))} />
          ${job.state === "completed" && html`<${Viewer} title=${t("result")} ...${view("result", t("Its handler returned nothing."))} />`}
          ${raw.headers && html`<${Viewer} title=${t("headers")} ...${view("headers", "")} />`}
          <${Elsewheres} all=${elsewhere(job)} />
        </div>
      </div>
    </div>`;
}
