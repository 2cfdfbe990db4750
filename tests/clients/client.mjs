// BoltQ from JavaScript: the npm package `redis` and manifest.json, nothing else. Walks three jobs
// through their lives: node client.mjs MANIFEST REDIS_URL QUEUE     (or a socket's path for the URL)
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { createClient } from "redis";

const [path, place, queue] = process.argv.slice(2);
const { scripts } = JSON.parse(readFileSync(path, "utf8"));
const redis = await createClient(place.startsWith("/") ? { socket: { path: place } } : { url: place }).connect();

// Runs a script: its arguments by name, then its items, as the manifest lists them.
async function call(verb, given = {}, items = []) {
  const script = scripts[verb];
  const values = (fields, from) => fields.map(({ name }) => String(from[name] ?? ""));
  const each = items.flatMap((item) => values(script.each.fields, item));
  const keys = script.keys.map((part) => `boltq1:{${queue}}:${part}`);
  const options = { keys, arguments: [...values(script.arguments, given), ...each] };
  const run = () => redis.evalSha(script.sha1, options);
  const reply = await run().catch(async (error) => {
    if (!error.message.startsWith("NOSCRIPT")) throw error;
    await redis.scriptLoad(script.source); // after each restart of the server
    return run();
  });
  return named(reply, script.replies);
}

// Gives values the names that the manifest has for them; a refusal is thrown.
function named([word, ...values], kinds) {
  const kind = kinds.find((one) => one.word === word);
  if (!kind) throw new Error(`${word}: ${values[0]}`);
  const fields = Object.fromEntries(kind.fields.map(({ name }, n) => [name, values[n]]));
  const items = [];
  for (let at = kind.fields.length; kind.width && at < values.length; at += kind.width)
    items.push(named(values.slice(at, at + kind.width), kind.items));
  return { word, ...fields, items };
}
const show = (title, { word, items }) => console.log(`${title}:`, word, ...items.map((item) => item.word));
const claim = (token, lease_ms, limit) => call("claim", { token, worker: "node", lease_ms, limit, max_bytes: 1000000 });

// No pause after a lost lease (base_ms 0), so that this walk need not wait.
const report = (id, payload) => ({ id, type: "report", payload, headers: "{}" });
const jobs = [report("a", '{"n":1.0}'), report("b", '{"n":2}'), report("c", '{"n":3}')];
show("enqueue", await call("enqueue", { options: "base_ms=0" }, jobs));
show("repeated", await call("enqueue", { options: "base_ms=0" }, jobs));

const [token, lost, next] = [randomUUID(), randomUUID(), randomUUID()];
(await claim(token, 30000, 2)).items.forEach((job) => console.log(`claimed: ${job.payload}`));
show("extend", await call("extend", { lease_ms: 30000 }, [{ id: "a", token }, { id: "b", token }]));
show("ack", await call("ack", {}, [{ id: "a", token, result: '"done"' }]));
show("again", await call("ack", {}, [{ id: "a", token, result: '"done"' }]));
show("fail", await call("fail", {}, [{ id: "b", token, message: "it did not work", delay_ms: 60000, final: 0 }]));

await claim(lost, 100, 1);
while ((await claim(next, 30000, 1)).word !== "CLAIMED") await setTimeout(20);
show("stale", await call("ack", {}, [{ id: "c", token: lost }]));
show("ack", await call("ack", {}, [{ id: "c", token: next }]));
const { scheduled, queued, running, retrying, completed, cancelled, dead } = await call("stats");
console.log("stats:", scheduled, queued, running, retrying, completed, cancelled, dead);
await redis.close();
