import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors.ts';
import { ApiKeys, parseApiKeyFile, parseApiKeyList } from './api-keys.ts';

const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('API keys', () => {
  it('an API key is found by its hash, at any place in the list', () => {
    const keys = new ApiKeys([
      { name: 'till', sha256: sha256('key-1'), scopes: ['purchases:write'] },
      { name: 'notebook', sha256: sha256('key-2').toUpperCase(), scopes: ['queries:run'] },
    ]);
    expect(keys.find('key-1')).toMatchObject({ subject: 'till', kind: 'api-key' });
    expect([...keys.find('key-2')!.scopes]).toEqual(['queries:run']);
    expect(keys.find('key-3')).toBeUndefined();
    expect(keys.find(sha256('key-1'))).toBeUndefined();
  });

  it('an API key is refused from the moment it expires', () => {
    let nowMs = Date.parse('2030-01-01T00:00:00Z') - 1;
    const keys = new ApiKeys([{ name: 'till', sha256: sha256('key'), scopes: ['admin'], expiresAt: '2030-01-01T00:00:00Z' }], () => nowMs);
    expect(keys.find('key')).toBeDefined();
    nowMs += 1;
    expect(keys.find('key')).toBeUndefined();
  });
});

describe('the key file', () => {
  it('parseApiKeyFile returns the keys of the file', () => {
    const key = { name: 'till', sha256: sha256('k'), scopes: ['admin'] };
    expect(parseApiKeyFile(JSON.stringify({ keys: [key] }), 'keys.json')).toEqual([key]);
  });

  it('an invalid key file is refused, and the error names every faulty field', () => {
    const text = JSON.stringify({ keys: [{ name: '', sha256: 'abc', scopes: ['root'], key: 'plain' }] });
    const problems = problemsOf(() => parseApiKeyFile(text, 'keys.json'));
    expect(problems).toHaveLength(4);
    expect(problems.join('\n')).toMatch(/keys\[0\]\.key is not a known field/);
    expect(problems.join('\n')).toMatch(/keys\[0\]\.scopes\[0\] must be one of purchases:write, queries:run, admin/);
    expect(problemsOf(() => parseApiKeyFile('{', 'keys.json'))).toEqual(['The API key file keys.json is not valid JSON.']);
  });
});

describe('API keys in a setting', () => {
  it('parseApiKeyList reads keys of the form name:hash:scope+scope', () => {
    expect(parseApiKeyList([`till:${sha256('k')}:purchases:write+admin`])).toEqual([
      { name: 'till', sha256: sha256('k'), scopes: ['purchases:write', 'admin'] },
    ]);
  });

  it('the error for an invalid key gives its position in the list and never its text', () => {
    const problems = problemsOf(() => parseApiKeyList([`a:${sha256('k')}:admin`, 'plain-secret', `b:${sha256('k')}:root`]));
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/^API key 2 of the list/);
    expect(problems.join()).not.toContain('plain-secret');
  });
});
