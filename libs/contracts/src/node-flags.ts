/**
 * Flags of Node for every service: stack traces name the source, and a warning of kafkajs that means nothing is silent. Node's own limit
 * for the young generation grows with the memory of the machine. It may add 100 MB to a service, and wins nothing.
 */
export const nodeFlags: readonly string[] = [
  '--enable-source-maps',
  '--disable-warning=TimeoutNegativeWarning',
  '--max-semi-space-size=32',
];
