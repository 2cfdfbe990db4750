// The guided scenes: each does something real, and tells what is to be seen while it happens.

import { ask, inPath, post } from "./ask.js";
import { html, useEffect, useRef, useState } from "./html.js";
import { Icon } from "./icons.js";
import { Card, JobLink, sentence, State, Until } from "./parts.js";
import { workersOf } from "./live.js";
import { route } from "./route.js";
import { t } from "./words.js";

const LOOK_MS = 400;
const LONGEST_MS = 180_000;
const CRASH_QUEUE = "playground-crash";
const CRASH_LEASE_SECONDS = 6;
const SEEN_MS = 3500;

const token = () => `page-${Array.from(crypto.getRandomValues(new Uint8Array(9)), (n) => n.toString(36)).join("")}`;

/** A tab in the back looks rarely, and the job does not wait for it. */
const waitsOrIsPast = (failures) => (job) => job.failures > failures || job.state === "completed" || (job.failures === failures && job.state === "retrying");

/**
 * A scene is a list of steps. Each has `text`; `does`, which may answer the job that the scene is of;
 * and `until`, which tells whether the step is over from the job as it stands.
 */
export const scenes = [
  {
    name: "retry",
    title: t("Retry with backoff"),
    told: t("A job fails twice, waits longer each time, then completes."),
    needs: ["enqueue"],
    steps: [
      { text: t("Enqueue a job that fails twice."), does: ({ queue }) => enqueue({ type: "fail", payload: { times: 2 }, queue, max_attempts: 5, backoff: { base_seconds: 2, factor: 2, jitter: 0 } }) },
      { text: t("The first try fails. It waits 2 seconds: the base of its backoff."), until: waitsOrIsPast(1) },
      { text: t("The second try fails. It waits twice as long."), until: waitsOrIsPast(2) },
      { text: t("The third try completes. The errors of the first two are kept with it."), until: (job) => job.state === "completed" },
    ],
  },
  {
    name: "replay",
    title: t("Die, and be replayed"),
    told: t("A job uses up its attempts and is dead. Replayed, it completes."),
    needs: ["enqueue", "admin"],
    steps: [
      { text: t("Enqueue a job that will fail three times, with three attempts."), does: ({ queue }) => enqueue({ type: "fail", payload: { times: 3, message: "the other side is down" }, queue, max_attempts: 3, backoff: { base_seconds: 1, factor: 2, jitter: 0 } }) },
      { text: t("It fails, and waits to be tried again."), until: (job) => job.failures >= 1 },
      { text: t("It fails a third time, and is dead: nobody tries it again by itself."), until: (job) => job.state === "dead" },
      { text: t("Somebody has mended the other side. The job is replayed, with fresh attempts."), does: async ({ job }) => { await rest(SEEN_MS); await post(`/api/jobs/${inPath(job.id)}/replay`); } },
      { text: t("It completes; its past stays with it."), until: (job) => job.state === "completed" },
    ],
  },
  {
    name: "crash",
    title: t("A worker crashes"),
    told: t("This page claims a job and goes silent. Nothing is lost."),
    needs: ["enqueue", "work"],
    queue: CRASH_QUEUE,
    steps: [
      { text: t("Enqueue a job in a queue that only this page works on."), does: () => enqueue({ type: "resize-image", payload: { picture: "harbour.jpg" }, queue: CRASH_QUEUE, max_attempts: 3, backoff: { base_seconds: 2, jitter: 0 } }) },
      { text: t("Worker A, which is this page, claims it for {n} seconds.", { n: CRASH_LEASE_SECONDS }), does: () => claim("worker A", CRASH_LEASE_SECONDS), until: (job) => job.state === "running" },
      { text: t("Worker A crashes: no heartbeat, no answer. The job still looks as if it ran, until the lease runs out."), until: (job) => Date.parse(job.lease_expires_at ?? 0) < Date.now() || job.state !== "running" },
      { text: t("Worker B claims. The queue sees that the lease is lost, and lets the job wait its backoff first."), does: () => claim("worker B", 30), until: (job) => job.state !== "running" || job.lost > 0 },
      { text: t("Worker B has the job now, as its second attempt."), does: (told) => claimUntil(told, "worker B"), until: (job) => job.state === "running" && job.attempt > 1 },
      { text: t("Worker B acknowledges it: completed, once. If A woke up now, its answer would be refused."), does: ({ job, held }) => rest(SEEN_MS).then(() => post(`/api/jobs/${inPath(job.id)}/ack`, { token: held, result: { by: "worker B" } })).then(() => null), until: (job) => job.state === "completed" },
    ],
  },
];

const rest = (ms) => new Promise((done) => { setTimeout(done, ms); });
const enqueue = async (job) => ({ job: (await post("/api/jobs", job)).json() });

async function claim(worker, seconds) {
  const held = token();
  const jobs = (await post("/api/claims", { queues: [CRASH_QUEUE], worker_id: `${worker} of the playground`, lease_seconds: seconds, max_jobs: 1, token: held })).json().jobs;
  return jobs.length ? { held } : null;
}

async function claimUntil({ isOver, job, held }, worker) {
  if (held && (await look(job.id)).attempt > 1) return null;
  for (let i = 0; i < 40 && !isOver(); i += 1) {
    const got = await claim(worker, 30);
    if (got) return got;
    await rest(LOOK_MS);
  }
  return null;
}

const look = async (id) => (await ask("GET", `/api/jobs/${inPath(id)}`)).json();

/** What is being played: the scene, the step, the job, and how to begin another. */
export function useStory() {
  const [told, tell] = useState({ scene: null, step: 0, job: null, isOver: false, problem: null });
  const playing = useRef(0);
  useEffect(() => () => { playing.current += 1; }, []);
  const play = async (scene, queue) => {
    const mine = (playing.current += 1);
    const isOver = () => playing.current !== mine;
    const where = scene.queue ?? queue;
    const kept = { queue: where, isOver, job: null, held: null };
    const show = (more) => { if (!isOver()) tell((before) => ({ ...before, ...more })); };
    show({ scene, step: 0, job: null, isOver: false, problem: null, queue: where });
    try {
      for (const [i, step] of scene.steps.entries()) {
        show({ step: i });
        Object.assign(kept, (await step.does?.(kept)) ?? {});
        show({ job: kept.job });
        const until = Date.now() + LONGEST_MS;
        while (step.until && !isOver()) {
          kept.job = await look(kept.job.id);
          show({ job: kept.job });
          if (step.until(kept.job)) break;
          if (Date.now() > until) throw new Error(t("nobody has done it within three minutes: does a worker run?"));
          await rest(LOOK_MS);
        }
        if (isOver()) return;
        if (!step.until && i === 0) await rest(600);
      }
      show({ step: scene.steps.length, isOver: true });
    } catch (problem) {
      show({ problem, isOver: true });
    }
  };
  return { ...told, play };
}

function Now({ job, isOver }) {
  if (!job) return null;
  return html`<span class="row"><${State} name=${job.state} />${["retrying", "scheduled"].includes(job.state) && html`<span class="small quiet">${t("in {time}", { time: html`<${Until} at=${job.run_at} past=${t("a moment")} />` })}</span>`}
    ${job.state === "running" && job.lease_expires_at && html`<span class="small quiet">${t("lease for {time}", { time: html`<${Until} at=${job.lease_expires_at} past=${t("no longer")} />` })}</span>`}<${JobLink} id=${job.id}>${t("its page")}<//></span>`;
}

export function Story({ story }) {
  const { scene, step, job, isOver, problem } = story;
  const isAlone = !scene.queue && story.queue && !workersOf(story.queue).length && !isOver;
  return html`<${Card} title=${scene.title} aside=${html`<${Now} job=${job} isOver=${isOver} />`}>
    <ol class="story" aria-live="polite">
      ${scene.steps.map((one, i) => html`<li key=${i} class=${i < step ? "done" : i === step && !problem ? "here" : ""} aria-current=${i === step ? "step" : undefined}>
        <span class="dot">${i < step ? html`<${Icon} name="check" size="12" />` : i + 1}</span><span>${one.text}</span></li>`)}
    </ol>
    ${isAlone && html`<p class="notice warn"><${Icon} name="warn" /><span>${t("No worker that we see works on {queue}: start one with {command}.", { queue: story.queue, command: html`<code>boltq-worker --queues ${story.queue}</code>` })}</span></p>`}
    ${problem && html`<p class="problem" role="alert"><${Icon} name="warn" /><span>${sentence(problem)}</span></p>`}
  <//>`;
}
