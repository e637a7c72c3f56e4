import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { resultLines, type ResultLineBatch } from './result-lines.ts';
import { rowCharactersMax } from './sandbox-protocol.ts';

async function read(chunks: readonly string[]): Promise<ResultLineBatch[]> {
  const batches: ResultLineBatch[] = [];
  for await (const batch of resultLines(pipeOf(chunks))) batches.push(batch);
  return batches;
}

function pipeOf(chunks: readonly string[]): Readable {
  return Readable.from(chunks.map((chunk) => Buffer.from(chunk))).setEncoding('utf8');
}

it('resultLines finds rows and control lines wherever the chunks are cut', async () => {
  const text = '{"columns":[]}\n[1]\n["a\\nü"]\n{"end":{"reusable":true}}\n';
  const whole = await read([text]);
  expect(whole.map(({ control }) => control)).toEqual([{ columns: [] }, undefined, { end: { reusable: true } }]);
  expect(whole[1]!.rows).toEqual([[1], ['a\nü']]);
  for (let cut = 1; cut < text.length; cut += 1) {
    const batches = await read([text.slice(0, cut), text.slice(cut)]);
    expect(batches.flatMap(({ rows }) => rows)).toEqual([[1], ['a\nü']]);
    expect(batches.filter(({ control }) => control !== undefined)).toHaveLength(2);
  }
});

it('one pipe gives one result after the other', async () => {
  const pipe = pipeOf(['{"columns":[]}\n[1]\n', '{"end":{"reusable":true}}\n', '{"columns":[]}\n', '[2]\n{"end":{"reusable":false}}\n']);
  const results: unknown[][] = [];
  for (let n = 0; n < 2; n += 1) {
    const rows: unknown[] = [];
    for await (const batch of resultLines(pipe)) rows.push(...batch.rows, ...(batch.control === undefined ? [] : [batch.control]));
    results.push(rows);
  }
  expect(results).toEqual([
    [{ columns: [] }, [1], { end: { reusable: true } }],
    [{ columns: [] }, [2], { end: { reusable: false } }],
  ]);
});

it('a line that the pipe breaks off is not given', async () => {
  expect((await read(['[1]\n[2'])).flatMap(({ rows }) => rows)).toEqual([[1]]);
});

it('a row above the limit is refused before it is complete', async () => {
  const piece = 'x'.repeat(1024 * 1024);
  let sent = 0;
  const endless = Readable.from(
    (function* () {
      for (;;) {
        sent += piece.length;
        yield Buffer.from(piece);
      }
    })(),
  ).setEncoding('utf8');
  await expect(resultLines(endless).next()).rejects.toMatchObject({
    code: 'result-too-large',
    message: expect.stringContaining(String(rowCharactersMax)) as string,
  });
  expect(sent).toBeLessThan(rowCharactersMax * 2);
});
