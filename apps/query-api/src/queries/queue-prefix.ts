/** Prefix of every key in Redis. */
export const queuePrefix = 'millrace';
