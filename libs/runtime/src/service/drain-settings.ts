import { Type } from 'typebox';

/** Prefix of {@link drainSettings}: give it to `readConfig`, so that a misspelt setting is refused. */
export const drainPrefix = 'MILLRACE_DRAIN_';

/** Settings of a clean stop, the same for every service: spread them into the service's schema. */
export const drainSettings = {
  MILLRACE_DRAIN_DELAY_MS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 600_000,
    description:
      'Time from SIGTERM in which the service is not ready and still serves, so that load balancers stop sending first, in milliseconds',
  }),
};
