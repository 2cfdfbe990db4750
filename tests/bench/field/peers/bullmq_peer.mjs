// BullMQ: bullmq_peer.mjs single|bulk|paced JOBS enqueues, bullmq_peer.mjs work works.
import { renameSync, writeFileSync } from "node:fs";
import { Queue, Worker } from "bullmq";
import Redis from "ioredis";

const path = process.env.FIELD_REDIS.replace("unix://", "");
const connection = new Redis(path, { maxRetriesPerRequest: null });
const payload = { recipient: "user@example.com", subject: "Hello", body: "x".repeat(140) };
const BATCH = 100;
const CONCURRENCY = 100;
const PAUSE_MS = 50;
const [what, jobs] = [process.argv[2], Number(process.argv[3] ?? process.env.FIELD_JOBS)];

async function single(queue) {
  for (let n = 0; n < jobs; n++) await queue.add("noop", payload);
}

async function bulk(queue) {
  for (let n = 0; n < jobs; n += BATCH) {
    const some = Math.min(BATCH, jobs - n);
    await queue.addBulk(Array.from({ length: some }, () => ({ name: "noop", data: payload })));
  }
}

const clock = () => Number(process.hrtime.bigint());
const pause = (ms) => new Promise((over) => setTimeout(over, ms));

async function paced(queue) {
  for (let n = 0; n < jobs; n++) {
    await pause(PAUSE_MS * (0.5 + Math.random()));
    await queue.add("noop", { ...payload, sent_ns: clock() });
  }
}

if (what === "work") {
  let [count, began] = [0, 0];
  const waited = [];
  const noop = async (job) => {
    if (job.data.sent_ns) waited.push((clock() - job.data.sent_ns) / 1e9);
    count += 1;
    if (count === 1) began = performance.now();
    if (count === jobs) {
      const told = process.env.FIELD_TOLD;
      const lines = waited.length ? waited : [0, (performance.now() - began) / 1000];
      writeFileSync(`${told}.new`, lines.map((line) => `${line}\n`).join(""));
      renameSync(`${told}.new`, told);
    }
  };
  new Worker("field", noop, { connection, concurrency: CONCURRENCY });
} else {
  const queue = new Queue("field", { connection });
  await queue.waitUntilReady();
  const began = performance.now();
  await { single, bulk, paced }[what](queue);
  console.log((performance.now() - began) / 1000);
  await queue.close();
  connection.disconnect();
}
