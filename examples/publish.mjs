// Publishes articles, corrects one, kills one, and repeats it all without harm. It needs nothing but Node 18:
//
//     NEWSWIRE_URL=http://127.0.0.1:8000 NEWSWIRE_KEY=… node examples/publish.mjs gazette articles.ndjson
//
// Each line of the file is an article in JSON with an `external_id`: your own id, which never changes.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const { NEWSWIRE_URL, NEWSWIRE_KEY } = process.env;
const TRIES = 5;

// Sends a request until the wire has answered it: to repeat the same one does no harm.
async function send(method, path, article, headers = {}) {
  const body = article && JSON.stringify(article);
  headers = { ...headers, Authorization: `Bearer ${NEWSWIRE_KEY}`, "Content-Type": "application/json" };
  for (let attempt = 0; attempt < TRIES; attempt++) {
    let pause = 2 ** attempt;
    try {
      const answer = await fetch(`${NEWSWIRE_URL}/v1${path}`, { method, headers, body });
      if (answer.status !== 429 && answer.status < 500) return [answer.status, await answer.json()];
      pause = Number(answer.headers.get("Retry-After")) || pause;
    } catch { /* No answer: send it again. */ }
    await new Promise((wake) => setTimeout(wake, pause * 1000));
  }
  throw new Error(`${method} ${path}: the wire did not answer.`);
}

const [publisher, file] = process.argv.slice(2);
const articles = readFileSync(file, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
const mine = articles.map((article) => `/publishers/${publisher}/articles/${encodeURIComponent(article.external_id)}`);
for (const [index, article] of articles.entries()) {
  const [status, answer] = await send("PUT", mine[index], article); // 201: new. 200: it was there. 410: it was killed.
  console.log(status, status >= 400 ? answer.detail : `version ${answer.version}: ${answer.headline}`);
}
const change = { type: "correction", note: "The headline named another place." };
const corrected = { ...articles[0], headline: `${articles[0].headline} (corrected)`, change };
const [status, answer] = await send("PUT", mine[0], corrected);
console.log(status, `corrected, version ${answer.version}`);
const [, tombstone] = await send("DELETE", `${mine[1]}?reason=${encodeURIComponent("Published by mistake.")}`);
console.log(tombstone.status);
const flash = { headline: "Ferry service suspended" }; // It has no id: an Idempotency-Key makes the repeat safe for a day.
const key = { "Idempotency-Key": createHash("sha256").update(JSON.stringify(flash)).digest("hex") };
const [first, again] = [await send("POST", "/articles", flash, key), await send("POST", "/articles", flash, key)];
console.log(first[0], `sent twice, stored once: ${first[1].id === again[1].id}`);
