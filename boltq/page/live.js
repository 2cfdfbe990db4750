// What all screens share: one snapshot of the server, looked at by one poll, and what it was before.

import { get } from "./ask.js";
import { computed, signal } from "./html.js";
import { Poll } from "./poll.js";

const MOST_MOMENTS = 300;
const LEAST_MOMENTS = 30;
/** Of how many queues' counts the past may hold, of all moments together. */
const MOST_COUNTS = 30_000;
const RATE_SECONDS = 20;
const LEARN_AGAIN_MS = 2000;

export const snapshot = new Poll("/api/overview", { then: remember });
export const overview = snapshot.value;

/** What was seen before, oldest first: { at, total, queues }, `at` in ms of the server. */
export const past = signal([]);

/** What the key grants: read, enqueue, work, admin; null until it is known. */
export const grants = signal(null);
/** The version of BoltQ that answers. */
export const version = signal("");

/** What runs here, as BOLTQ_ENVIRONMENT names it. */
export const environment = signal("");

/** How far the server's clock is ahead of this computer's, in ms. */
const ahead = signal(0);
const tick = signal(Date.now());
setInterval(() => { if (!document.hidden) tick.value = Date.now(); }, 1000);

/** The server's clock, each second anew. */
export const now = computed(() => tick.value + ahead.value);
export const nowMs = () => Date.now() + ahead.peek();

function remember(seen) {
  const at = new Date(seen.at).getTime();
  const off = at - Date.now();
  // Within a poll's way and the second that a snapshot lasts the clocks may as well agree.
  if (Math.abs(off - ahead.peek()) > 1500) ahead.value = Math.abs(off) > 1500 ? off : 0;
  const kept = past.peek();
  const last = kept[kept.length - 1];
  if (last && at <= last.at) return;
  const queues = Object.fromEntries(seen.queues.map((one) => [one.queue, one]));
  const most = Math.max(LEAST_MOMENTS, Math.min(MOST_MOMENTS, Math.floor(MOST_COUNTS / (seen.queues.length + 1))));
  past.value = [...kept.slice(-most + 1), { at, total: seen.total, queues }];
}

let learnsAgain;

export async function learn() {
  clearTimeout(learnsAgain);
  try {
    const about = (await get("/", { headers: { Accept: "application/json" } })).json();
    grants.value = about.grants ?? [];
    version.value = about.version;
    environment.value = about.environment ?? "";
  } catch { learnsAgain = setTimeout(learn, LEARN_AGAIN_MS); }
}

/** Whether something may be done; the server has the last word. */
export const may = (scope) => grants.value === null || grants.value.includes(scope);

const ENDS = ["completed_total", "died_total", "cancelled_total"];
const sum = (counts, names) => names.reduce((all, name) => all + (counts?.[name] ?? 0), 0);

/** Jobs a second that came and went lately, of a queue or of all; null while it is not known. */
export function rates(queue = null) {
  const kept = past.value;
  const last = kept[kept.length - 1];
  const first = kept.find((one) => last.at - one.at <= RATE_SECONDS * 1000);
  const of = (one) => (queue === null ? one.total : one.queues[queue]);
  if (!first || first === last || !of(first) || !of(last)) return null;
  const seconds = (last.at - first.at) / 1000;
  const each = (names) => Math.max(0, sum(of(last), names) - sum(of(first), names)) / seconds;
  return { in: each(["enqueued_total", "replayed_total"]), out: each(ENDS), failed: each(["failed_total", "lost_total"]) };
}

/** A count as it was, oldest first, for a line without axes. */
export function trail(name, queue = null, most = 60) {
  return past.value.slice(-most).map((one) => (queue === null ? one.total : one.queues[queue] ?? {})[name] ?? 0);
}

/** Who is alive and works on a queue. */
export function workersOf(queue) {
  return (overview.value?.workers ?? []).filter((one) => one.alive && queue in one.queues);
}
