import { expect, it } from 'vitest';
import { smallManifest, type ResultManifest, type ResultPart } from './result-manifest.ts';

function manifestOf(parts: readonly ResultPart[], columns = 1): ResultManifest {
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  const names = Array.from({ length: columns }, (_, n) => ({ name: `column_${n}`, type: 'bigint' }));
  return { v: 1, queryId: 'q', columns: names, rows: parts.length, bytes, bytesScanned: 0, parts };
}

function textOf(bytes: number): ResultPart {
  return { rows: 1, bytes, text: 'x'.repeat(bytes) };
}

it.each([
  ['without rows', manifestOf([]), true],
  ['of a few rows', manifestOf([textOf(1000)]), true],
  ['of many rows', manifestOf([textOf(2048)]), false],
  ['of many columns', manifestOf([textOf(10)], 100), false],
  ['whose rows are in an object', manifestOf([{ rows: 1, bytes: 10, key: 'part-0' }]), false],
])('the record of a query holds a result %s: %#', (_kind, manifest, isHeld) => {
  expect(smallManifest(manifest)).toBe(isHeld ? manifest : undefined);
});
