import { describe, expect, it } from 'vitest';
import { fits, type SeenRequest } from './fault.ts';
import { FaultBook, Rule } from './fault-book.ts';

const put: SeenRequest = {
  method: 'PUT',
  path: '/lake/_ledger/purchases/1.json',
  query: new URLSearchParams('x-id=PutObject'),
  headers: { 'if-none-match': '*' },
};

describe('a request matcher', () => {
  it('without members fits every request', () => {
    expect(fits(put, {})).toBe(true);
    expect(fits({}, {})).toBe(true);
  });

  it('fits only when every given member does', () => {
    const matcher = { method: 'PUT', path: /\/_ledger\//, query: { 'x-id': 'PutObject' }, headers: { 'if-none-match': true } };
    expect(fits(put, matcher)).toBe(true);
    expect(fits({ ...put, method: 'GET' }, matcher)).toBe(false);
    expect(fits({ ...put, path: '/lake/purchases/1.parquet' }, matcher)).toBe(false);
    expect(fits({ ...put, query: new URLSearchParams('x-id=GetObject') }, matcher)).toBe(false);
    expect(fits({ ...put, headers: {} }, matcher)).toBe(false);
    expect(fits(put, { ...matcher, where: () => false })).toBe(false);
  });

  it('takes a string for the whole path and a list for one of several', () => {
    expect(fits(put, { path: '/lake/_ledger' })).toBe(false);
    expect(fits(put, { path: '/lake/_ledger/purchases/1.json', method: ['GET', 'PUT'] })).toBe(true);
    expect(fits({ api: 'Produce' }, { api: ['Produce', 'Fetch'] })).toBe(true);
    expect(fits({}, { api: 'Produce' })).toBe(false);
  });

  it('can ask that a parameter or a header is not there', () => {
    expect(fits(put, { headers: { 'x-amz-copy-source': false }, query: { prefix: false } })).toBe(true);
    expect(fits(put, { headers: { 'if-none-match': false } })).toBe(false);
  });
});

describe('the book of faults', () => {
  it('meets the next N requests that fit, and counts those that came, that are in flight and that were met', () => {
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

  it('gives a request to the fault that was injected first', () => {
    const book = new FaultBook();
    const [first, second] = [new Rule({ kind: 'reset' }, { times: 1 }), new Rule({ kind: 'black-hole' }, {})];
    book.add(first);
    book.add(second);
    expect([book.take(put), book.take(put)]).toEqual([first, second]);
    book.clear();
    expect(book.take(put)).toBeUndefined();
  });

  it('tells when a fault has met its requests and when they have run their course', async () => {
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
