import { afterEach, expect, it, vi } from 'vitest';
import { sendForEvents } from './request.ts';

afterEach(() => vi.unstubAllGlobals());

it('events are read in any pieces, and a line separator within a text ends no line', async () => {
  const query = { sql: 'SELECT "\u2028line\u2029paragraph\u0085"' };
  const text = `retry: 1000\n\nevent: state\nid: 1\ndata: ${JSON.stringify(query)}\n\n: waiting\n\nevent: progress\ndata: ${JSON.stringify(query)}\n\n`;
  const bytes = new TextEncoder().encode(text);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 7) controller.enqueue(bytes.slice(at, at + 7));
      controller.close();
    },
  });
  vi.stubGlobal('fetch', async () => await Promise.resolve(new Response(body)));
  const events: unknown[] = [];
  for await (const event of sendForEvents<typeof query>('/v1/queries/1/events')) events.push(event);
  expect(events).toEqual([query, query]);
});
