import type { EventWay } from '@millrace/contracts';
import { describe, expect, it } from 'vitest';
import { eventIdIn, placeIn } from './receipt.ts';
import { stepsOf } from './steps.ts';

const eventId = '01a21102-d4f6-73ec-9b7c-538bae2b2eb0';
const way: EventWay = { eventId, status: 'in-kafka', unknown: [], links: { self: '' } };

describe('a receipt', () => {
  it('the id and the place are found in a receipt, and the id alone in any other text', () => {
    const receipt = JSON.stringify({ eventId, durability: 'kafka', topic: 't', partition: 1, offset: '491' });
    expect([eventIdIn(receipt), placeIn(receipt)]).toEqual([eventId, 'partition=1&offset=491']);
    expect([eventIdIn(` ${eventId.toUpperCase()} `), placeIn(eventId)]).toEqual([eventId, undefined]);
    expect(eventIdIn('no id')).toBeUndefined();
  });

  it('the id of the field wins over another id in the text', () => {
    expect(eventIdIn(`{"bookId": "ec437d98-455d-4fec-8dbe-2c2630454bdd", "eventId": "${eventId}"}`)).toBe(eventId);
  });
});

describe('the steps of an event', () => {
  it('steps that have not happened wait, and unknown steps state the reason', () => {
    const steps = stepsOf({ ...way, unknown: [{ step: 'queryable', reason: 'Glue does not answer' }] });
    expect(steps.map(({ title, state, detail }) => `${title} ${state}: ${detail}`)).toEqual([
      'Accepted unknown: not known',
      'Kafka waiting: not yet',
      'Landed waiting: not yet',
      'Queryable unknown: Glue does not answer',
    ]);
  });

  it('a rejected event ends at its reject file', () => {
    const landed = { batch: 'b', from: '1', to: '5', file: '_rejects/x', at: '2026-11-30T10:00:05.000Z' };
    expect(stepsOf({ ...way, status: 'rejected', landed }).at(-1)).toEqual({
      title: 'Rejected',
      state: 'failed',
      detail: 'batch b, offsets 1–5, _rejects/x',
      at: '2026-11-30T10:00:05.000Z',
    });
  });
});
