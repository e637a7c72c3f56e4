import { expect } from 'vitest';

/** Expects that the sums of a reader of Iceberg are those of the base. */
export async function expectAgreement(sums: Promise<{ readonly base: unknown[]; readonly iceberg: unknown[] }>): Promise<void> {
  const { base, iceberg } = await sums;
  expect(base.length).toBeGreaterThan(0);
  expect(iceberg).toEqual(base);
}
