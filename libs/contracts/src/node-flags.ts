/** Flags of Node for every service: stack traces name the source, and a warning of kafkajs that means nothing is silent. */
export const nodeFlags: readonly string[] = ['--enable-source-maps', '--disable-warning=TimeoutNegativeWarning'];

/**
 * Flags of Node for the sink and the projector. The sink keeps most of its data outside the heap, so a large young generation
 * wins nothing. Node's own limit for it grows with the memory of the machine and may add 100 MB to the sink.
 */
export const sinkNodeFlags: readonly string[] = [...nodeFlags, '--max-semi-space-size=32'];
