import { expect } from 'vitest';
import type { ProjectedLake } from './projected-lake.ts';

/** Expects that a reader of Iceberg other than ours sees exactly the rows of the base. */
export async function expectAgreement(lake: ProjectedLake, table: string): Promise<void> {
  const { base, iceberg } = await lake.sums(table);
  expect(base.length).toBeGreaterThan(0);
  expect(iceberg).toEqual(base);
}
