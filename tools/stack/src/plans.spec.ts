import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planService } from './plans.ts';
import { readSettings } from './settings.ts';

const env = { MILLRACE_HOME: '/tmp/home' };
const settings = readSettings(env);

describe('planService', () => {
  it('each purchase API gets a different outbox directory, and other services get none', () => {
    const directories = [
      planService('purchase', settings, env),
      planService('purchase', settings, env, 'purchase-2'),
      planService('sink', settings, env),
    ].map(({ plan }) => plan.env['PURCHASE_OUTBOX_DIR']);
    expect(directories).toEqual([join('/tmp/home', 'outbox', 'purchase'), join('/tmp/home', 'outbox', 'purchase-2'), undefined]);
  });

  it('an outbox directory from the environment is used', () => {
    const given = { ...env, PURCHASE_OUTBOX_DIR: '/disk' };
    expect(planService('purchase', readSettings(given), given).plan.env['PURCHASE_OUTBOX_DIR']).toBe('/disk');
  });
});
