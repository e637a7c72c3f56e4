// curl for the snippets of the documents, made of Node's fetch. Run as a program. The file that CURL_RECORD names gets one line of JSON for
// each answer.
import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { readCurlOptions } from './curl-options.ts';

const { url, method, headers, body, retries, failing, discards, writeOut } = readCurlOptions(process.argv.slice(2));
const passing = new Set([408, 429, 500, 502, 503, 504]);

const ask = async (): Promise<Response> =>
  await fetch(url, { method, headers: headers.map(([name, value]) => [name, value]), ...(body === undefined ? {} : { body }) });
let answer = await ask();
for (let left = retries; left > 0 && passing.has(answer.status); left -= 1) {
  await answer.arrayBuffer();
  await pause(Number(answer.headers.get('retry-after') ?? 1) * 1000);
  answer = await ask();
}
const text = await answer.text();
const record = process.env['CURL_RECORD'];
if (record !== undefined) {
  const exchange = { url, method, status: answer.status, contentType: answer.headers.get('content-type'), body: text };
  appendFileSync(record, `${JSON.stringify(exchange)}\n`);
}
const failed = failing && answer.status >= 400;
process.stdout.write(failed || discards === true ? '' : text);
process.stdout.write(writeOut.replaceAll(String.raw`\n`, '\n').replaceAll('%{http_code}', String(answer.status)));
process.exitCode = failed ? 22 : 0;
