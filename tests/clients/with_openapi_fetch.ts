// Publishes, lists and follows with openapi-fetch and the types that openapi-typescript makes (`newswire.d.ts`).
// Arguments: the address of a demo, the key of its publisher, the key of a partner. tsc --strict compiles it first.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./newswire";

type Entry = components["schemas"]["EntryOut"];
// Articles are served in other forms too: this names the one that is wanted, and that of problems.
type Json = "application/json" | "application/problem+json";

async function main(url: string, publisherKey: string, partnerKey: string): Promise<void> {
  const client = (key: string) =>
    createClient<paths, Json>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });
  const publisher = client(publisherKey);
  const partner = client(partnerKey);
  const wire = await partner.GET("/v1/wire");

  const made = await publisher.POST("/v1/articles", {
    body: { headline: "Kiosk opens", body_text: "It sells papers.", authors: [{ name: "Ann Lee" }] },
  });
  assert.equal(made.response.status, 201);
  const id = made.data!.id;
  const path = { publisher: "samples", external_id: "kiosk/1" };
  for (const expected of [201, 200]) {
    const put = await publisher.PUT("/v1/publishers/{publisher}/articles/{external_id}", {
      params: { path }, body: { headline: "Kiosk by its own id" },
    });
    assert.equal(put.response.status, expected);
  }
  const batch = await publisher.POST("/v1/articles/batch", {
    body: [{ headline: "Kiosk in a batch" }, { headline: "" }],
  });
  assert.deepEqual(batch.data!.results.map((result) => result.status), [201, 422]);
  assert.equal(batch.data!.results[0].problem, null);
  assert.equal(batch.data!.results[1].problem?.errors[0].pointer, "/headline");
  const correction = {
    params: { path: { article_id: id }, header: { "If-Match": made.response.headers.get("ETag")! } },
    body: { summary: "Papers and tea.", change: { type: "correction", note: "It sells tea too." } },
  } as const;
  const corrected = await publisher.PATCH("/v1/articles/{article_id}", correction);
  assert.deepEqual([corrected.data!.version, corrected.data!.change.type], [2, "correction"]);
  const stale = await publisher.PATCH("/v1/articles/{article_id}", correction);
  assert.equal(stale.error!.status, 412);

  const query = { q: "kiosk", limit: 2, include: "body" } as const;
  const page = await partner.GET("/v1/articles", { params: { query } });
  assert.deepEqual([page.data!.data.length, page.data!.page.has_more], [2, true]);
  const cursor = page.data!.page.next_cursor!;
  const rest = await partner.GET("/v1/articles", { params: { query: { ...query, cursor } } });
  assert.deepEqual([rest.data!.data.length, rest.data!.links.next], [1, null]);
  const read = await partner.GET("/v1/articles/{article_id}", { params: { path: { article_id: id } } });
  assert.deepEqual([read.data!.body_text, read.data!.authors[0].name], ["It sells papers.", "Ann Lee"]);

  const killed = await publisher.DELETE("/v1/articles/{article_id}", {
    params: { path: { article_id: id }, query: { reason: "A hoax." } },
  });
  assert.equal(killed.data!.status, "canceled");
  const entries: Entry[] = [];
  for (let after = wire.data!.head, more = true; more; ) {
    const changes = await partner.GET("/v1/changes", { params: { query: { after, limit: 5 } } });
    entries.push(...changes.data!.data);
    after = changes.data!.page.next_after;
    more = changes.data!.page.has_more;
  }
  const last = entries.filter((entry) => entry.article_id === id).at(-1)!;
  assert.deepEqual([last.type, last.change?.note], ["article.canceled", "A hoax."]);
  console.log("publishes, corrects, lists, follows, kills");
}

const [url, publisherKey, partnerKey] = process.argv.slice(2);
await main(url, publisherKey, partnerKey);
