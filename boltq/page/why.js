// Why a job stands where it stands, in a sentence for people.

import { html } from "./html.js";
import { QueueLink, Until } from "./parts.js";
import { lasting, many } from "./shown.js";
import { t } from "./words.js";

const named = (error) => (error ? `${error.type}${error.message ? `: ${error.message.split("\n")[0]}` : ""}` : "");

const nobodyWorks = () => ` ${t("No worker that we see works on this queue.")}`;
const because = (queue) => (queue.pause_reason ? t(": {why}", { why: queue.pause_reason }) : "");

/** Two lines: what is, and what follows. `queue` is its row of the snapshot, `workers` who attend it. */
export function why(job, queue, workers) {
  const error = job.errors[job.errors.length - 1];
  const isLost = error?.type === "LeaseLost";
  const left = job.max_attempts - job.attempt;
  const nobody = workers.length ? "" : nobodyWorks();
  const paused = queue?.paused ? ` ${t("The queue is paused{because}.", { because: because(queue) })}` : "";
  const soon = html`<${Until} at=${job.run_at} past=${t("a moment")} />`;
  switch (job.state) {
    case "queued": {
      if (queue?.paused) return [t("It waits, because its queue is paused{because}.", { because: because(queue) }), t("It runs once somebody resumes {queue}.", { queue: html`<${QueueLink} name=${job.queue} />` })];
      if (!workers.length) return [t("It waits, and no worker that we see works on its queue."), t("Start one: {command}", { command: html`<code>boltq-worker --queues ${job.queue}</code>` })];
      const others = Math.max(0, (queue?.queued ?? 1) - 1);
      const rest = others ? many(others, "{n} other job of the queue is queued, too", "{n} other jobs of the queue are queued, too") : t("No other is queued");
      return [t("It is its turn soon: it waits for a free worker."), t("{this}; {that}", { this: rest, that: many(workers.length, "{n} worker attends it.", "{n} workers attend it.") })];
    }
    case "scheduled":
      return [t("It is due in {time}.", { time: soon }), `${error ? t("It was put off.") : t("It was enqueued with a delay.")}${paused}${nobody}`];
    case "retrying":
      return [isLost ? t("Its worker was not heard of any more; it is tried again in {time}.", { time: soon }) : t("Its last attempt failed; it is tried again in {time}.", { time: soon }),
        `${named(error)}. ${left > 0 ? many(left, "{n} attempt is left.", "{n} attempts are left.") : ""}${paused}${nobody}`];
    case "running": {
      const worker = job.worker ?? t("a worker");
      const ends = html`<${Until} at=${job.lease_expires_at} past=${t("no time: the next claim takes it back")} />`;
      return [job.cancel_asked ? t("Its worker was asked to stop. It runs on {worker}.", { worker }) : t("It runs on {worker}.", { worker }),
        t("Attempt {n} of {most}. Its lease ends in {time} unless the worker says that it is alive.", { n: job.attempt, most: job.max_attempts, time: ends })];
    }
    case "completed": return [t("It is done."), `${before(job)}${took(job)}`];
    case "cancelled": return [t("It was cancelled."), t("It does not run. It can be enqueued again as a new job.")];
    case "dead": return [died(job, isLost, left), `${named(error)}. ${t("Replay it when what was wrong is mended.")}`];
    default: return [t("It is {state}.", { state: job.state }), ""];
  }
}

function died(job, isLost, left) {
  if (isLost) return t("It is dead: its leases were lost too often.");
  if (left > 0) return t("It is dead: its handler said that it is of no use to try again.");
  return many(job.max_attempts, "It is dead: all {n} attempts failed.", "It is dead: all {n} attempts failed.");
}

function before(job) {
  const failures = job.failures && many(job.failures, "{n} failure", "{n} failures");
  const losses = job.lost && many(job.lost, "{n} lost lease", "{n} lost leases");
  if (failures && losses) return `${t("After {failures} and {losses}.", { failures, losses })} `;
  return failures || losses ? `${t("After {what}.", { what: failures || losses })} ` : "";
}

function took(job) {
  if (!job.started_at || !job.finished_at) return "";
  const since = (at) => lasting((new Date(job.finished_at) - new Date(at)) / 1000);
  return t("It took {time}, {whole} after it was made.", { time: since(job.started_at), whole: since(job.created_at) });
}
