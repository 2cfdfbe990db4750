// A job of an answer, of which nothing that people wrote goes through a number of JavaScript.

import { members } from "./exact.js";

const RAW = ["payload", "result", "headers", "payload_base64", "result_base64", "headers_base64"];

/** A job of an answer: what people wrote stays the text that it is, the rest is read. */
export function readJob(answer) {
  const found = members(answer.text);
  const raw = Object.fromEntries(RAW.filter((name) => found.has(name)).map((name) => [name, found.get(name)]));
  for (const name of RAW) found.delete(name);
  const job = JSON.parse(`{${[...found].map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`);
  return { ...job, raw, tag: answer.tag };
}
