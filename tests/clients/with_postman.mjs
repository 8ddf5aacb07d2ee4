// Makes a Postman collection of an OpenAPI document, and sends each of its requests with newman, as they are.
// Arguments: the file of the document, the address of a demo, the key of its publisher.
import { readFileSync } from "node:fs";
import converter from "openapi-to-postmanv2";
import newman from "newman";

const [file, url, key] = process.argv.slice(2);
const options = { folderStrategy: "Tags", parametersResolution: "Example", enableOptionalParameters: false };
const source = { type: "string", data: readFileSync(file, "utf8") };
const converted = await new Promise((resolve, reject) =>
  converter.convertV2(source, options, (error, result) => (error ? reject(error) : resolve(result))),
);
if (!converted.result) throw new Error(converted.reason);
const collection = converted.output[0].data;

const requests = [];
const visit = (item) => (item.item ? item.item.forEach(visit) : requests.push(item));
visit(collection);
// The key that Postman asks for once; a collection names no keys.
for (const { request } of requests) {
  if (request.auth?.type !== "noauth") request.auth = { type: "bearer", bearer: [{ key: "token", value: key }] };
}
const sent = [];
await new Promise((resolve, reject) => {
  const run = newman.run(
    { collection, envVar: [{ key: "baseUrl", value: url }], timeoutRequest: 20000 },
    (error) => (error ? reject(error) : resolve()),
  );
  run.on("request", (error, { item, response }) => sent.push([item.name, error ? String(error) : response.code, response]));
});
const failed = sent.filter(([, code]) => !(code >= 200 && code < 300));
for (const [name, code, response] of failed) console.error(`${code} ${name}: ${response?.text().slice(0, 300)}`);
if (failed.length || sent.length !== requests.length) process.exit(1);
console.log(`sends ${sent.length} requests as they are, all of them with success`);
