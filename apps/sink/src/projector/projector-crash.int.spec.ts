import { spawnService, waitUntil, type ServiceProcess } from '@millrace/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectAgreement } from './testing/expect-agreement.ts';
import { ProjectedLake } from './testing/projected-lake.ts';

let lake: ProjectedLake;
const running: ServiceProcess[] = [];

beforeAll(async () => (lake = await ProjectedLake.open()));
afterAll(async () => {
  await Promise.all(running.map(async (service) => await service.kill('SIGKILL')));
  lake?.close();
});

async function spawnProjector(): Promise<ServiceProcess> {
  const service = await spawnService('projector', {
    LAKE_BUCKET: lake.bucket,
    LAKE_DATABASE: lake.stream.database,
    PROJECTOR_INTERVAL_SECONDS: '0.1',
  });
  running.push(service);
  return service;
}

it('projectors that are killed while batches land neither lose nor double a row', async () => {
  let rows = 0;
  const land = async (batches: number): Promise<void> => {
    for (let n = 0; n < batches; n += 1) {
      await lake.landed.land(n % 3, [1_700_000_000 + rows, 1_700_000_000 + rows * 40_000]);
      rows += 2;
    }
  };
  let [one, two] = await Promise.all([spawnProjector(), spawnProjector()]);
  for (let kills = 0; kills < 4; kills += 1) {
    const dying = one;
    const [exit] = await Promise.all([dying.kill('SIGKILL'), land(6)]);
    expect(exit.signal).toBe('SIGKILL');
    one = two;
    [two] = await Promise.all([spawnProjector(), land(6)]);
  }
  await waitUntil('the table to hold every landed row', async () => ((await lake.log.head(undefined))?.rows === rows ? true : undefined), {
    timeoutMs: 120_000,
  });
  const metrics = await (await fetch(`${two.url}/metrics`)).text();
  expect(metrics).toContain('millrace_projector_lag_seconds{table="purchases"');
  await expectAgreement(lake.sums(lake.location));
  expect(await one.kill()).toMatchObject({ code: 0 });
  expect(await two.kill()).toMatchObject({ code: 0 });
  // The pointer may be behind the commits of a killed projector; the next round of any projector repairs it.
  await lake.projection().round();
  expect(await lake.pointer()).toBe(`s3://${lake.bucket}/${(await lake.log.head(undefined))!.metadata}`);
  await expectAgreement(lake.sums(await lake.pointer()));
}, 300_000);
