import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAccessKeys } from './access-keys.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'access-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function read(text: string): ReadonlyMap<string, string> {
  const path = join(folder, 'keys.json');
  writeFileSync(path, text);
  return readAccessKeys(path);
}

describe('readAccessKeys', () => {
  it('readAccessKeys reads the secrets by their ids', () => {
    const secretAccessKey = 's'.repeat(40);
    expect([...read(JSON.stringify({ keys: [{ accessKeyId: 'AKID', secretAccessKey }] }))]).toEqual([['AKID', secretAccessKey]]);
  });

  it.each([
    ['no JSON', 'secret-of-somebody', 'is not valid JSON'],
    ['no keys', '{"keys": []}', 'keys must have at least 1 item'],
    ['a short secret', '{"keys": [{"accessKeyId": "AKID", "secretAccessKey": "secret"}]}', 'must be at least 16 characters long'],
  ])('readAccessKeys refuses a file with %s and does not repeat its text', (_what, text, message) => {
    let error: unknown;
    try {
      read(text);
    } catch (one) {
      error = one;
    }
    expect(String(error)).toContain(message);
    expect(String(error)).not.toContain('secret-of-somebody');
  });

  it('readAccessKeys names a file that does not exist', () => {
    expect(() => readAccessKeys(join(folder, 'none.json'))).toThrow('cannot be read');
  });
});
