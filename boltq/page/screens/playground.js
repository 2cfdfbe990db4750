// Playground: send jobs, break them, and watch what the queue makes of it.

import { ask, inPath, post, withQuery } from "../ask.js";
import { Board } from "../board.js";
import { faults, JobFields } from "../compose.js";
import { html, useEffect, useMemo, useState } from "../html.js";
import { Icon } from "../icons.js";
import { may, overview, workersOf } from "../live.js";
import { act, attempt, Button, Card, Head } from "../parts.js";
import { usePoll } from "../poll.js";
import { refine, route } from "../route.js";
import { scenes, Story, useStory } from "../scenes.js";
import { many, number } from "../shown.js";
import { bodyOf, enqueueSnippets, Snippets } from "../snippets.js";
import { Chosen } from "../chosen.js";
import { Ticker } from "../ticker.js";
import { t } from "../words.js";

const MOST_BURST = 1000;
const OWN = "playground";

/** What a job may be made to do. */
const PRESETS = [
  { name: t("completes"), icon: "check", job: { type: "echo", payload: '{"hello": "world"}' } },
  { name: t("is slow"), icon: "clock", job: { type: "sleep", payload: '{"seconds": 8}' } },
  { name: t("fails twice"), icon: "again", job: { type: "fail", payload: '{"times": 2}', max_attempts: 5, backoff: { base_seconds: 2 } } },
  { name: t("always fails"), icon: "close", job: { type: "fail", payload: '{"times": 1000}', max_attempts: 3, backoff: { base_seconds: 1 } } },
  { name: t("sends mail"), icon: "forward", job: { type: "email", payload: '{"recipient": "user@example.com", "subject": "Hello", "body": "From the playground"}' } },
  { name: t("kills its worker"), icon: "skull", job: { type: "crash", payload: '{"times": 1}', max_attempts: 3, backoff: { base_seconds: 2 } } },
  { name: t("starts later"), icon: "scheduled", job: { type: "echo", payload: '{"hello": "later"}', delay_seconds: 15 } },
];

/** The queue that is played with: the one of the address, else one that somebody works on. */
function queueOf(seen) {
  const named = route.value.query.queue;
  if (named) return named;
  if (workersOf(OWN).length) return OWN;
  const worked = seen?.queues.map((one) => one.queue).filter((queue) => workersOf(queue).length) ?? [];
  const attended = [...new Set((seen?.workers ?? []).filter((one) => one.alive).flatMap((one) => Object.keys(one.queues)))];
  return ["default", ...worked, ...attended].find((queue) => workersOf(queue).length) ?? OWN;
}

async function enqueueMany(job, count) {
  if (count === 1) return (await post("/api/jobs", bodyOf(job))).json().id;
  const one = bodyOf(job);
  await post("/api/jobs/batch?mode=all", `[${Array(Math.min(500, count)).fill(one).join(",")}]`);
  if (count > 500) await post("/api/jobs/batch?mode=all", `[${Array(count - 500).fill(one).join(",")}]`);
  return null;
}

function Composer({ queue, look }) {
  const [preset, setPreset] = useState(0);
  const [job, change] = useState(PRESETS[0].job);
  const [count, setCount] = useState(1);
  const whole = { ...job, queue };
  const wrong = Object.keys(faults(whole)).length > 0;
  const choose = (i) => { setPreset(i); change({ priority: job.priority, ...PRESETS[i].job }); };
  const send = async (event) => {
    event.preventDefault();
    const done = many(count, "Enqueued.", "{n} jobs enqueued.");
    if (await attempt(() => enqueueMany(whole, count), done)) look();
  };
  return html`<${Card} title=${t("A job that")} kind="first-on-phone">
    <form class="body stack" onSubmit=${send}>
      <fieldset class="presets"><legend class="away">${t("What the job does")}</legend>
        ${PRESETS.map((one, i) => html`<label key=${one.name}><input type="radio" name="preset" checked=${i === preset} onChange=${() => choose(i)} /><${Icon} name=${one.icon} size="14" />${one.name}</label>`)}
      </fieldset>
      <div class="row">
        <${Button} type="submit" kind="first" icon="plus" disabled=${wrong || !may("enqueue")}>${count > 1 ? t("Enqueue {n}", { n: number(count) }) : t("Enqueue")}<//>
        <label class="row small soft">${t("times")} <input class="count" type="number" min="1" max=${MOST_BURST} value=${count} aria-label=${t("How many")} onInput=${(event) => setCount(Math.max(1, Math.min(MOST_BURST, Number(event.target.value) || 1)))} /></label>
        ${job.type === "crash" && queue !== OWN && html`<span class="small quiet">${t("Only in the queue {queue} does it kill its worker.", { queue: OWN })}</span>`}
        ${!may("enqueue") && html`<span class="small quiet">${t("This key may not enqueue.")}</span>`}
      </div>
      <details><summary>${t("Its type, payload and options")}</summary>
        <${JobFields} job=${whole} change=${(next) => { if (next.queue !== queue) refine({ queue: next.queue }); change({ ...next, queue: undefined }); }} queues=${overview.value?.queues.map((one) => one.queue) ?? []} />
      </details>
    </form>
    <${Snippets} of=${enqueueSnippets(whole)} />
  <//>`;
}

function QueueBar({ queue, queues, look }) {
  const one = overview.value?.queues.find((each) => each.queue === queue);
  const workers = workersOf(queue);
  const dead = one?.dead ?? 0;
  const path = `/api/queues/${inPath(queue)}`;
  const turn = async () => { await act("POST", `${path}/${one?.paused ? "resume" : "pause"}`, one?.paused ? undefined : { reason: t("tried in the playground") }, one?.paused ? t("{queue} goes on.", { queue }) : t("{queue} is paused: what is queued waits.", { queue })); look(); };
  const replay = async () => { await act("POST", "/api/operations", { action: "replay", queue, filter: { state: "dead" } }, t("The dead of {queue} come back.", { queue })); look(); };
  return html`<div class="row">
    <label class="row small soft">${t("Queue")} <select value=${queue} onChange=${(event) => refine({ queue: event.target.value })}>${queues.map((each) => html`<option key=${each}>${each}</option>`)}</select></label>
    <span class="tag ${workers.length ? "" : "bad"}">${workers.length ? many(workers.length, "{n} worker", "{n} workers") : t("no worker")}</span>
    ${one?.paused && html`<span class="tag warn"><${Icon} name="pause" size="11" />${t("paused")}</span>`}
    <${Button} kind="small" icon=${one?.paused ? "resume" : "pause"} onClick=${turn} disabled=${!may("admin")}>${one?.paused ? t("Resume") : t("Pause")}<//>
    <${Button} kind="small" icon="again" onClick=${replay} disabled=${!dead || !may("admin")}>${t("Replay the dead")}${dead ? ` (${number(dead)})` : ""}<//>
  </div>`;
}

export function Playground() {
  const seen = overview.value;
  const queue = queueOf(seen);
  const { jobs, look } = useLanes(queue);
  const story = useStory();
  const [chosen, choose] = useState("");
  const [events, note] = useState([]);
  useNews(jobs, queue, note);
  useEffect(() => { if (story.queue) refine({ queue: story.queue }); }, [story.queue]);
  const queues = [...new Set([queue, OWN, ...(seen?.queues.map((one) => one.queue) ?? []), ...(seen?.workers ?? []).flatMap((one) => Object.keys(one.queues))])];
  const isAlone = seen && !story.scene && !workersOf(queue).length;
  return html`<${Head} title=${t("Playground")} under=${t("Send jobs, break them, and watch what the queue makes of it. All of it is real.")}><//>
    <div class="stack">
      <div class="scenes">${scenes.map((scene) => html`<button key=${scene.name} type="button" class="scene ${story.scene === scene ? "on" : ""}" disabled=${!scene.needs.every(may)} onClick=${() => story.play(scene, queue)}>
        <span class="go"><${Icon} name=${story.scene === scene && story.isOver ? "again" : "playground"} size="15" /></span><b>${scene.title}</b><small>${scene.told}</small></button>`)}</div>
      ${story.scene && html`<${Story} story=${story} />`}
      <div class="play">
        <${Composer} queue=${queue} look=${look} />
        <div class="stack">
          <${Card} title=${t("Jobs")} aside=${html`<${QueueBar} queue=${queue} queues=${queues} look=${look} />`}>
            ${isAlone && html`<div class="body"><p class="notice warn"><${Icon} name="warn" /><span>${t("No worker that we see works on {queue}: start one with {command}.", { queue, command: html`<code>boltq-worker --queues ${queue}</code>` })}</span></p></div>`}
            <${Board} jobs=${jobs} counts=${seen?.queues.find((each) => each.queue === queue)} chosen=${chosen} choose=${choose} />
            ${chosen && html`<${Chosen} key=${chosen} id=${chosen} close=${() => choose("")} look=${look} />`}
          <//>
          <${Ticker} queue=${queue} seen=${events} />
        </div>
      </div>
    </div>`;
}

const LANES = [
  { state: "scheduled", order: "oldest", limit: 10 },
  { state: "queued,running,retrying", limit: 60 },
  { state: "completed,cancelled", limit: 30 },
  { state: "dead", limit: 10 },
];
const QUICK = { every: 1, slowest: 2 };

/** The jobs of a queue that the board shows: a burst in one state hides none of another. */
function useLanes(queue) {
  const polls = LANES.map((lane) => usePoll(withQuery("/api/jobs", { queue, ...lane }), QUICK));
  const pages = polls.map((poll) => poll.value.value);
  const jobs = useMemo(() => {
    if (pages.includes(null)) return null;
    // Of two looks the later one knows better in which state a job is: that with the later end.
    const found = new Map();
    for (const page of pages) for (const job of page.jobs) found.set(job.id, job);
    return [...found.values()];
  }, pages);
  return { jobs, look: () => polls.forEach((poll) => poll.look()) };
}

const MOST_EVENTS = 60;

function noteOf(job) {
  const error = job.errors[0];
  if (job.state === "retrying") return `${error ? `${error.message || error.type}` : ""}, ${t("attempt {n} of {most}", { n: job.attempt, most: job.max_attempts })}`;
  if (job.state === "dead") return error ? many(job.failures, "after {n} failure: {why}", "after {n} failures: {why}", { why: error.message || error.type }) : "";
  if (job.state === "completed") return t("at attempt {n}", { n: job.attempt });
  if (job.state === "running") return t("attempt {n}, {worker}", { n: job.attempt, worker: job.worker });
  return "";
}

/** Tell what changed from one look at the jobs to the next. */
function useNews(jobs, queue, note) {
  const [known] = useState({ queue: "", states: new Map() });
  useEffect(() => {
    if (!jobs) return;
    const isFirst = known.queue !== queue;
    const news = isFirst ? [] : jobs.filter((job) => known.states.get(job.id) !== `${job.state}${job.attempt}`);
    Object.assign(known, { queue, states: new Map(jobs.map((job) => [job.id, `${job.state}${job.attempt}`])) });
    if (!news.length) return;
    const at = new Date().toISOString();
    const told = news.slice(0, MOST_EVENTS).map((job) => ({ key: `${job.id} ${job.state} ${job.attempt} ${at}`, at, id: job.id, type: job.type, to: job.state, note: noteOf(job) }));
    note((before) => [...told, ...before].slice(0, MOST_EVENTS));
  }, [jobs]);
}
