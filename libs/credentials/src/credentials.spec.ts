import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fileProblems, secretOf, tlsOf } from './index.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'millrace-credentials-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

it('a secret is the setting itself or the current content of its file without the line end', () => {
  expect(secretOf('a', undefined)()).toBe('a');
  const read = secretOf(undefined, file('secret', 'first\n'));
  const seen = [read()];
  const path = file('secret', 'second');
  seen.push(read());
  rmSync(path);
  expect([...seen, read()]).toEqual(['first', 'second', 'second']);
});

it('certificates are read again for each copy of the options', () => {
  const tls = tlsOf({ ca: file('ca.pem', 'first'), servername: 'kafka' });
  const copies = [{ ...tls }];
  file('ca.pem', 'second');
  copies.push({ ...tls });
  expect(copies).toEqual([
    { ca: 'first', servername: 'kafka' },
    { ca: 'second', servername: 'kafka' },
  ]);
});

it.each<[problem: string, settings: () => Record<string, string>]>([
  ['CA names a file that cannot be read (ENOENT).', () => ({ CA: join(folder, 'none') })],
  ['CA names an empty file.', () => ({ CA: file('empty', ' ') })],
  ['CA holds no PEM block of the kind CERTIFICATE.', () => ({ CA: file('text', 'text') })],
  ['KEY is missing: CERT is of no use without it.', () => ({ CERT: file('cert', '-----BEGIN CERTIFICATE-----') })],
  ['PASSWORD names an empty file.', () => ({ PASSWORD: file('empty', '') })],
  [
    'KEY is not the key of the certificate in CERT, or one of them is damaged.',
    () => ({ CERT: file('cert', '-----BEGIN CERTIFICATE-----'), KEY: file('key', '-----BEGIN PRIVATE KEY-----') }),
  ],
])('an invalid file is refused: %s', (problem, settings) => {
  expect(fileProblems<string>(settings(), { ca: 'CA', cert: 'CERT', key: 'KEY', secrets: ['PASSWORD'] })).toEqual([problem]);
});
