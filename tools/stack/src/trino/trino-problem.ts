/** The part of Trino's answer that is read. */
interface Answer {
  readonly nextUri?: string;
  readonly data?: readonly unknown[];
  readonly error?: { readonly message: string };
}

/** Time limit of the whole query, in milliseconds: a Trino that has just started compiles everything first. */
const answerMsMax = 15_000;

/**
 * Runs a query of one row on Trino. Its own health endpoint answers before it has loaded its catalogs and before it has a node that runs
 * queries.
 *
 * @returns the reason why it cannot answer; undefined when it does
 */
export async function trinoProblem(origin: string, fetchFrom: typeof fetch = fetch): Promise<string | undefined> {
  const signal = AbortSignal.timeout(answerMsMax);
  const headers = { 'x-trino-user': 'millrace', 'x-trino-source': 'millrace-health' };
  let answer = await read(await fetchFrom(`${origin}/v1/statement`, { method: 'POST', headers, body: 'SELECT 1', signal }));
  let rows = 0;
  for (;;) {
    if (answer.error !== undefined) return answer.error.message;
    rows += answer.data?.length ?? 0;
    if (answer.nextUri === undefined) return rows === 1 ? undefined : `it answered ${rows} rows instead of 1`;
    answer = await read(await fetchFrom(answer.nextUri, { headers, signal }));
  }
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  if (!response.ok) throw new Error(`it answers ${response.status}`);
  return JSON.parse(text) as Answer;
}
