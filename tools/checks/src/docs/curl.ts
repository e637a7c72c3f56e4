// curl for the snippets of the documents, made of Node's fetch. Run as a program.
import { setTimeout as pause } from 'node:timers/promises';
import { readCurlOptions } from './curl-options.ts';

const { url, method, headers, body, retries, failing, writeOut } = readCurlOptions(process.argv.slice(2));
const passing = new Set([408, 429, 500, 502, 503, 504]);

const ask = async (): Promise<Response> => await fetch(url, { method, headers: headers.map(([name, value]) => [name, value]), ...(body === undefined ? {} : { body }) });
let answer = await ask();
for (let left = retries; left > 0 && passing.has(answer.status); left -= 1) {
  await answer.arrayBuffer();
  await pause(Number(answer.headers.get('retry-after') ?? 1) * 1000);
  answer = await ask();
}
const text = await answer.text();
const failed = failing && answer.status >= 400;
process.stdout.write(failed ? '' : text);
process.stdout.write(writeOut.replaceAll(String.raw`\n`, '\n').replaceAll('%{http_code}', String(answer.status)));
process.exitCode = failed ? 22 : 0;
