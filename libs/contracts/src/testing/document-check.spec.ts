import { describe, expect, it } from 'vitest';
import { openApiOf } from '../documents/open-api.ts';
import { purchaseApi } from '../documents/purchase-api.ts';
import { DocumentCheck } from './document-check.ts';

const check = new DocumentCheck(openApiOf(purchaseApi));
const post = { method: 'POST', path: '/v1/purchases', status: 202, contentType: 'application/json; charset=utf-8' };
const receipt = { eventId: 'e', durability: 'kafka', topic: 't', partition: 1, offset: '7', links: { self: '/v1/purchases/e' } };

describe('routeFaults', () => {
  it('equal routes have no fault, and HEAD is ignored', () => {
    expect(
      check.routeFaults([
        { method: 'POST', path: '/v1/purchases' },
        { method: 'POST', path: '/v1/purchases/batch' },
        { method: 'GET', path: '/v1/purchases/:eventId' },
        { method: 'POST', path: '/' },
        { method: 'GET', path: '/v1/streams' },
        { method: 'GET', path: '/v1/streams/:name/schema' },
        { method: 'HEAD', path: '/v1/other' },
      ]),
    ).toEqual([]);
  });

  it('a route that only one side has is a fault', () => {
    expect(
      check.routeFaults([
        { method: 'POST', path: '/v1/purchases' },
        { method: 'POST', path: '/' },
        { method: 'GET', path: '/v1/streams' },
        { method: 'GET', path: '/v1/streams/:name/schema' },
        { method: 'GET', path: '/v1/purchases/:eventId' },
        { method: 'DELETE', path: '/v1/purchases/:id' },
      ]),
    ).toEqual(['The document does not describe DELETE /v1/purchases/{id}.', 'The service does not have POST /v1/purchases/batch.']);
  });
});

describe('answerFaults', () => {
  it('an answer with the JSON media type of AWS is parsed', () => {
    const answer = { method: 'POST', path: '/', status: 403, contentType: 'application/x-amz-json-1.1' };
    expect(check.answerFaults({ ...answer, body: JSON.stringify({ __type: 'InvalidSignatureException', message: 'No.' }) })).toEqual([]);
    expect(check.answerFaults({ ...answer, body: '{}' })).toHaveLength(2);
  });

  it('an answer that the document describes has no fault', () => {
    expect(check.answerFaults({ ...post, body: JSON.stringify(receipt) })).toEqual([]);
    const problem = {
      type: 'urn:millrace:problem:validation',
      title: 'T',
      status: 400,
      errors: [{ field: 'userAge', message: 'm', limit: 150 }],
    };
    expect(check.answerFaults({ ...post, status: 400, contentType: 'application/problem+json', body: JSON.stringify(problem) })).toEqual(
      [],
    );
  });

  it.each([
    ['an unknown path', { path: '/v1/other' }, receipt, 'The document does not describe POST /v1/other 202.'],
    ['an unknown status', { status: 299 }, receipt, 'The document does not describe POST /v1/purchases 299.'],
    [
      'an unknown media type',
      { contentType: 'text/plain' },
      receipt,
      'The document does not describe text/plain of POST /v1/purchases 202.',
    ],
    ['a missing field', {}, { eventId: 'e' }, "must have required property 'durability'"],
    ['an undescribed field', {}, { ...receipt, price: 1 }, 'must NOT have additional properties {"additionalProperty":"price"}'],
    ['a field of another type', {}, { ...receipt, partition: '1' }, '/partition must be integer'],
    ['a missing body', { contentType: null }, receipt, 'POST /v1/purchases 202 has no body; the document describes one.'],
  ])('the check finds %s', (_what, change, body, fault) => {
    expect(check.answerFaults({ ...post, ...change, body: JSON.stringify(body) })).toContainEqual(expect.stringContaining(fault));
  });
});
