/** Sections of the runbook docs/operations.md that problems point to. A test compares them with the document. */
export const runbookSections = {
  firstChecks: 'first-checks',
  outages: 'outages',
  s3: 's3-is-down',
  kafka: 'kafka-is-down',
  refused: 'the-topic-was-recreated',
  waiting: 'records-wait',
} as const;

/** The section about a dependency that does not answer. */
export function sectionOf(dependency: string): string {
  if (dependency.startsWith('kafka')) return runbookSections.kafka;
  return dependency === 's3' ? runbookSections.s3 : runbookSections.outages;
}
