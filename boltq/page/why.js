// Why a job stands where it stands, in a sentence for people.

import { html } from "./html.js";
import { QueueLink, Until } from "./parts.js";
import { lasting, many, number } from "./shown.js";

const named = (error) => (error ? `${error.type}${error.message ? `: ${error.message.split("\n")[0]}` : ""}` : "");

/** Two lines: what is, and what follows. `queue` is its row of the snapshot, `workers` who attend it. */
export function why(job, queue, workers) {
  const error = job.errors[job.errors.length - 1];
  const left = job.max_attempts - job.attempt;
  const nobody = workers.length ? "" : " No worker that we see works on this queue.";
  const paused = queue?.paused ? ` The queue is paused${queue.pause_reason ? `: ${queue.pause_reason}` : ""}.` : "";
  switch (job.state) {
    case "queued": {
      if (queue?.paused) return [html`It waits, because its queue is paused${queue.pause_reason ? `: ${queue.pause_reason}` : ""}.`, html`It runs once somebody resumes <${QueueLink} name=${job.queue} />.`];
      if (!workers.length) return ["It waits, and no worker that we see works on its queue.", html`Start one: <code>boltq-worker --queues ${job.queue}</code>`];
      const others = Math.max(0, (queue?.queued ?? 1) - 1);
      return ["It is its turn soon: it waits for a free worker.", `${others ? `${many(others, "other job")} of the queue ${others === 1 ? "is" : "are"} queued, too` : "No other is queued"}; ${many(workers.length, "worker")} ${workers.length === 1 ? "attends" : "attend"} it.`];
    }
    case "scheduled":
      return [html`It is due in <${Until} at=${job.run_at} past="a moment" />.`, `${error ? "It was put off." : "It was enqueued with a delay."}${paused}${nobody}`];
    case "retrying":
      return [html`${error?.type === "LeaseLost" ? "Its worker was not heard of any more" : "Its last attempt failed"}; it is tried again in <${Until} at=${job.run_at} past="a moment" />.`,
        `${named(error)}. ${left > 0 ? `${many(left, "attempt")} ${left === 1 ? "is" : "are"} left.` : ""}${paused}${nobody}`];
    case "running":
      return [html`${job.cancel_asked ? "Its worker was asked to stop. It runs" : "It runs"} on ${job.worker ?? "a worker"}.`,
        html`Attempt ${job.attempt} of ${job.max_attempts}. Its lease ends in <${Until} at=${job.lease_expires_at} past="no time: the next claim takes it back" /> unless the worker says that it is alive.`];
    case "completed": return ["It is done.", `${job.failures || job.lost ? `After ${[job.failures && many(job.failures, "failure"), job.lost && many(job.lost, "lost lease")].filter(Boolean).join(" and ")}. ` : ""}${took(job)}`];
    case "cancelled": return ["It was cancelled.", "It does not run. It can be enqueued again as a new job."];
    case "dead": return [`It is dead: ${error?.type === "LeaseLost" ? "its leases were lost too often" : left > 0 ? "its handler said that it is of no use to try again" : `all ${number(job.max_attempts)} attempts failed`}.`, `${named(error)}. Replay it when what was wrong is mended.`];
    default: return [`It is ${job.state}.`, ""];
  }
}

function took(job) {
  if (!job.started_at || !job.finished_at) return "";
  return `It took ${lasting((new Date(job.finished_at) - new Date(job.started_at)) / 1000)}, ${lasting((new Date(job.finished_at) - new Date(job.created_at)) / 1000)} after it was made.`;
}
