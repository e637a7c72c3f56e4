import { createPipeline, type Pipeline } from '@millrace/resilience';
import { describe, expect, it } from 'vitest';
import { FlowReader } from './flow-reader.ts';
import { processAddresses } from './process-address.ts';

const processes = processAddresses(['sink=http://sink:3002', 'purchase=http://purchase:3001']);
const snapshot = createPipeline({ name: 's3' }).snapshot();
const pages: Readonly<Record<string, string>> = {
  '/health/ready': JSON.stringify({ status: 'ready', service: 'sink', dependencies: [] }),
  '/metrics': 'millrace_sink_spool_bytes 7\n',
  '/admin/pipelines': JSON.stringify({ pipelines: [{ snapshot }] }),
};

/** A reader over processes that answer with a function, and the credentials that they got. */
function readerOver(answer: (url: URL, init: RequestInit) => Response | Promise<Response>): { reader: FlowReader; sent: unknown[] } {
  const sent: unknown[] = [];
  const reader = new FlowReader({
    processes,
    pipeline: createPipeline({ name: 'processes', timeout: { attemptMs: 1000, totalMs: 1000 } }) as Pipeline,
    now: () => 0,
    fetch: async (url, init = {}) => {
      sent.push((init.headers as Record<string, string>)['authorization']);
      return await answer(new URL(url), init);
    },
  });
  return { reader, sent };
}

const call = { authorization: 'Bearer key', signal: new AbortController().signal };

describe('FlowReader', () => {
  it('a process that does not answer is unreachable, and the others are shown with the credential of the caller', async () => {
    const { reader, sent } = readerOver(({ hostname, pathname }) => {
      if (hostname === 'purchase') throw new TypeError('fetch failed');
      return new Response(pages[pathname]);
    });
    expect(await reader.read(call)).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      processes: [
        {
          name: 'sink',
          status: 'ready',
          dependencies: [],
          samples: [{ name: 'millrace_sink_spool_bytes', labels: {}, value: 7 }],
          pipelines: [expect.objectContaining({ name: 's3', calls: 0, inFlight: 0 })],
        },
        { name: 'purchase', status: 'unreachable', dependencies: [], samples: [], pipelines: [] },
      ],
    });
    expect(new Set(sent)).toEqual(new Set(['Bearer key']));
  });

  it('a process that does not accept the credential is shown as refused', async () => {
    const { reader } = readerOver(({ pathname }) => new Response('{}', { status: pathname === '/health/ready' ? 200 : 403 }));
    expect((await reader.read(call)).processes.map(({ status }) => status)).toEqual(['refused', 'refused']);
  });

  it('the refusal of a process keeps its reason', async () => {
    const detail = 'There is no pipeline x.';
    const { reader } = readerOver(() => new Response(JSON.stringify({ detail }), { status: 404 }));
    await expect(reader.changeCircuit('sink', 'x', { mode: 'auto', reason: 'because' }, call)).rejects.toMatchObject({
      code: 'not-found',
      message: detail,
    });
    await expect(reader.relay('none', '/x', call)).rejects.toMatchObject({ code: 'not-found' });
  });
});
