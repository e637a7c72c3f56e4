import { describe, expect, it } from 'vitest';
import { fits, type SeenRequest } from './fault.ts';
import { FaultBook, Rule } from './fault-book.ts';

const put: SeenRequest = {
  method: 'PUT',
  path: '/lake/_ledger/purchases/1.json',
  query: new URLSearchParams('x-id=PutObject'),
  headers: { 'if-none-match': '*' },
};

describe('request matcher', () => {
  it('an empty matcher fits every request', () => {
    expect(fits(put, {})).toBe(true);
    expect(fits({}, {})).toBe(true);
  });

  it('a matcher fits only when all of its members fit', () => {
    const matcher = { method: 'PUT', path: /\/_ledger\//, query: { 'x-id': 'PutObject' }, headers: { 'if-none-match': true } };
    expect(fits(put, matcher)).toBe(true);
    expect(fits({ ...put, method: 'GET' }, matcher)).toBe(false);
    expect(fits({ ...put, path: '/lake/purchases/1.parquet' }, matcher)).toBe(false);
    expect(fits({ ...put, query: new URLSearchParams('x-id=GetObject') }, matcher)).toBe(false);
    expect(fits({ ...put, headers: {} }, matcher)).toBe(false);
    expect(fits(put, { ...matcher, where: () => false })).toBe(false);
  });

  it('a string matches the whole path, and a list matches any of its items', () => {
    expect(fits(put, { path: '/lake/_ledger' })).toBe(false);
    expect(fits(put, { path: '/lake/_ledger/purchases/1.json', method: ['GET', 'PUT'] })).toBe(true);
    expect(fits({ api: 'Produce' }, { api: ['Produce', 'Fetch'] })).toBe(true);
    expect(fits({}, { api: 'Produce' })).toBe(false);
  });

  it('the value false matches the absence of a parameter or header', () => {
    expect(fits(put, { headers: { 'x-amz-copy-source': false }, query: { prefix: false } })).toBe(true);
    expect(fits(put, { headers: { 'if-none-match': false } })).toBe(false);
  });
});

describe('FaultBook', () => {
  it('a fault applies to the next N matching requests, and the book counts seen, in-flight and hit requests', () => {
    const book = new FaultBook();
    const rule = new Rule({ kind: 'reset' }, { times: 2, when: { method: 'PUT' } });
    book.add(rule);
    expect([book.take(put), book.take({ method: 'GET' }), book.take(put), book.take(put)]).toEqual([rule, undefined, rule, undefined]);
    expect(book.counts()).toEqual({ seen: 4, inFlight: 4, hits: { reset: 2 } });
    book.finish(rule);
    book.finish(undefined);
    expect(book.counts().inFlight).toBe(2);
    expect([rule.hits, rule.active]).toEqual([2, false]);
  });

  it('a request gets the fault that was injected first', () => {
    const book = new FaultBook();
    const [first, second] = [new Rule({ kind: 'reset' }, { times: 1 }), new Rule({ kind: 'black-hole' }, {})];
    book.add(first);
    book.add(second);
    expect([book.take(put), book.take(put)]).toEqual([first, second]);
    book.clear();
    expect(book.take(put)).toBeUndefined();
  });

  it('a fault reports when it was hit and when its requests are done', async () => {
    const book = new FaultBook();
    const rule = new Rule({ kind: 'late' }, {});
    book.add(rule);
    const seen: string[] = [];
    const hit = rule.reached('hits', 1).then(() => seen.push('hit'));
    const done = rule.reached('done', 1).then(() => seen.push('done'));
    book.take(put);
    await hit;
    expect(seen).toEqual(['hit']);
    book.finish(rule);
    await done;
    expect(seen).toEqual(['hit', 'done']);
  });
});
