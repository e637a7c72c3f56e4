/**
 * Settings with which a service does not shed requests when its event loop is late. A busy machine delays every event loop, and a test of
 * another subject must not fail for that. Shedding begins at a delay of 30 s.
 *
 * @param prefix of the settings of the service: the purchase API or the query API
 */
export function withoutShedding(prefix: 'PURCHASE' | 'QUERY'): Record<string, string> {
  return { [`${prefix}_HTTP_SHED_DELAY_MS_FROM`]: '30000', [`${prefix}_HTTP_SHED_DELAY_MS_FULL`]: '60000' };
}
