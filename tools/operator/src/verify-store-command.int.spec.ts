import { PlantedLake } from '@millrace/operations/testing';
import type { StoreReport } from '@millrace/operations';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operate } from './operate.ts';
import { recordingContext } from './testing/recording-context.ts';

let planted: PlantedLake;
beforeEach(async () => {
  planted = await PlantedLake.open();
});
afterEach(() => planted?.close());

async function verify(url: string): Promise<{ code: number; report: StoreReport }> {
  const context = recordingContext(planted.env);
  const code = await operate('verify store', [url, '--large-mb', '8', '--json'], context);
  return { code, report: JSON.parse(context.lines.join('\n')) as StoreReport };
}

describe('./millrace verify store', () => {
  it('the store of the local stack is sound', async () => {
    const { code, report } = await verify(`${process.env['AWS_ENDPOINT_URL']!}/${planted.env['LAKE_BUCKET']!}`);
    expect(report.claims.filter(({ outcome }) => outcome !== 'holds')).toEqual([]);
    expect({ code, verdict: report.verdict, leftovers: report.leftovers }).toEqual({ code: 0, verdict: 'sound', leftovers: 0 });
  });

  it.each([
    ['nothing', '"nothing" is not the URL of a bucket'],
    ['http://127.0.0.1:9000', 'is not the URL of a bucket: give http://host:port/bucket or s3://bucket'],
    ['ftp://127.0.0.1/lake', 'is not the URL of a bucket'],
    ['http://127.0.0.1:9000/lake/folder', 'is not the URL of a bucket'],
  ])('the URL %s is refused', async (url, message) => {
    await expect(verify(url)).rejects.toThrow(message);
  });

  it('a bucket that is not there is named', async () => {
    await expect(verify(`${process.env['AWS_ENDPOINT_URL']!}/no-such-bucket-here`)).rejects.toThrow('no-such-bucket-here');
  });
});
