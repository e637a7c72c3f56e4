import { stripTypeScriptTypes } from 'node:module';
import { describe, expect, it } from 'vitest';
import { curlOf, pythonOf, typeScriptOf } from './copy-as.ts';

const tab = { id: 'a', sql: 'SELECT \'x\', "ä\\\u2028" AS "`${b}`"\n-- """ 😀', parameters: [{ type: 'null', text: '' }] } as const;
const target = { origin: 'http://host:3003', isAuthOn: true };
const request = { sql: tab.sql, parameters: [null] };

describe('a copied request', () => {
  it('the command holds the statement as one word of the shell and never the credential', () => {
    expect(curlOf({ id: 'a', sql: "SELECT 'x'", parameters: [] }, { origin: 'http://host', isAuthOn: true })).toBe(
      `curl -s -X POST http://host/v1/queries -H 'content-type: application/json' -H 'prefer: wait=30' -H "authorization: Bearer $MILLRACE_TOKEN" \\\n  -d '{"sql":"SELECT '\\''x'\\''"}'`,
    );
  });

  it('the TypeScript program is valid and holds the request', () => {
    const text = typeScriptOf(tab, target);
    expect(() => stripTypeScriptTypes(text)).not.toThrow();
    const literal = /queries\.run\(([^]*)\);\nfor await/.exec(text)![1]!;
    expect(JSON.parse(literal)).toEqual(request);
    expect(text).toContain('token: process.env.MILLRACE_TOKEN');
    expect(typeScriptOf(tab, { ...target, isAuthOn: false })).not.toContain('TOKEN');
  });

  it('the Python program reads the credential from the environment', () => {
    expect(pythonOf(tab, target)).toContain('os.environ["MILLRACE_TOKEN"]');
    expect(pythonOf(tab, { ...target, isAuthOn: false })).not.toMatch(/TOKEN|import os/);
  });

  it('the body of the Python program is a text of JSON in a text of JSON, which Python reads the same', () => {
    const literal = /data=([^]*?)\.encode\(\),/.exec(pythonOf(tab, target))![1]!;
    expect(JSON.parse(JSON.parse(literal) as string)).toEqual(request);
  });
});
