// A worker over HTTP: Node without any package. It ends on TERM, or, with UNTIL_IDLE set, when no job
// has come within WAIT_SECONDS:  LEASE_SECONDS=30 THREADS=4 node worker.mjs http://localhost:8080 QUEUE
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const [api, queue] = process.argv.slice(2);
const { LEASE_SECONDS = 30, WAIT_SECONDS = 20, THREADS = 1, UNTIL_IDLE } = process.env;
const [lease_seconds, wait_seconds] = [Number(LEASE_SECONDS), Number(WAIT_SECONDS)];
let stopped = false;
process.on("SIGTERM", () => (stopped = true));
// What each type of job does: it returns the result, or throws.
const handlers = {
  ok: (payload) => ({ got: payload }),
  slow: async (payload, signal) => (await sleep(payload * 1000, undefined, { signal }), "slow"),
  dies: (_payload, _signal, job) => (job.lost ? "not twice" : process.kill(process.pid, "SIGKILL")),
};

// Sends a request again until it is answered, which the token makes harmless.
async function post(path, body) {
  for (let pause = 100; ; pause = Math.min(2 * pause, 5000)) {
    try {
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(`${api}/api/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
      const told = await response.json();
      if (response.status < 500) return { ok: response.ok, ...told };
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // what fetch throws when nobody answers
    }
    await sleep(pause);
  }
}

async function run(job, token) {
  const [work, path] = [new AbortController(), `jobs/${encodeURIComponent(job.id)}`];
  const beat = setInterval(async () => {
    const told = await post(`${path}/extend`, { token, lease_seconds });
    if (!told.ok || told.cancel_asked) work.abort(); // the lease is lost, or nobody wants the job
  }, (lease_seconds * 1000) / 3);
  try {
    const handler = handlers[job.type];
    if (!handler) throw new Error(`there is no "${job.type}" here`);
    const result = await handler(job.payload, work.signal, job);
    return await post(`${path}/ack`, { token, result });
  } catch ({ name: type, message, stack }) {
    return await post(`${path}/fail`, { token, error: { type, message, stack } });
  } finally {
    clearInterval(beat);
  }
}

async function loop() {
  while (!stopped) {
    const claim = { queues: [queue], token: randomUUID(), worker_id: `node ${process.pid}`, lease_seconds };
    const { jobs = [], token, detail } = await post("claims", { ...claim, wait_seconds });
    if (detail) throw new Error(detail);
    if (!jobs.length && UNTIL_IDLE) return;
    for (const job of jobs) console.log(job.id, (await run(job, token)).state);
  }
}
await Promise.all(Array.from({ length: Number(THREADS) }, loop));
