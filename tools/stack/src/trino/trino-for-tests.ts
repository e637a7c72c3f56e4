import { StackError } from '../errors.mjs';
import { findJava } from '../machine/find-java.mjs';
import type { Screen } from '../screen.mjs';
import type { Stack } from '../stack.ts';
import { installTrino } from './install-trino.ts';
import { trinoJava } from './plan-trino.ts';

/** Memory that must be free, in bytes: Trino's heap and Java's other memory. */
const memoryMin = 3e9;
/** Time for the download, in milliseconds. Tests never wait longer for it: 0.8 GB take a minute on a fast line. */
const downloadMsMax = 240_000;

/** Address of Trino for the tests, or the reason why they are skipped. */
export type TrinoOfTests = { readonly TRINO_URL: string } | { readonly MILLRACE_TRINO_MISSING: string };

/**
 * Starts Trino beside a private stack where the machine can run it. Where it cannot, the tests of Trino are skipped, and their names
 * contain the reason.
 *
 * @throws StackError when Trino is there and does not start: that is a fault of ours
 */
export async function startTrinoForTests(
  stack: Stack,
  env: Readonly<Record<string, string | undefined>>,
  screen: Screen,
): Promise<TrinoOfTests> {
  const { signal } = stack.interrupts;
  if ((await findJava(trinoJava, env, { signal })) === undefined) return missing(`Java ${trinoJava} or newer was not found`);
  const free = process.availableMemory();
  if (free < memoryMin) return missing(`${(free / 1e9).toFixed(1)} GB of memory are free, and Trino needs ${memoryMin / 1e9} GB`);
  return await screen.step('Start Trino for its tests', async (note) => {
    const problem = await fetchInTime(stack, note);
    if (problem !== undefined) {
      note(problem);
      return missing(problem);
    }
    await stack.startPart('trino', note);
    return { TRINO_URL: stack.settings.trinoUrl };
  });
}

function missing(reason: string): TrinoOfTests {
  return { MILLRACE_TRINO_MISSING: reason };
}

/** Fetches Trino; returns the reason when it cannot be had in time. */
async function fetchInTime({ settings, interrupts }: Stack, note: (text: string) => void): Promise<string | undefined> {
  const slow = new StackError(`Trino could not be fetched within ${downloadMsMax / 1000} s.`);
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(slow), downloadMsMax);
  try {
    await installTrino({ settings, note, signal: AbortSignal.any([interrupts.signal, limit.signal]), hard: interrupts.hard });
    return undefined;
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    if (limit.signal.aborted) return slow.message.slice(0, -1);
    return error.message.split('\n')[0]!.replace(/[.:]$/, '');
  } finally {
    clearTimeout(timer);
  }
}
