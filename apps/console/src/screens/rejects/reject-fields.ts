import type { RejectDetail } from '@millrace/contracts';

/** One field of a rejected event. */
export interface RejectField {
  readonly name: string;
  /** The value as JSON, so that `24` and `"24"` differ. Undefined: the event does not have the field. */
  readonly value: string | undefined;
  /** Rules that it breaks. */
  readonly problems: readonly string[];
}

/** The fields of a rejected event: those that break a rule first, then the others in their order. */
export function fieldsOf({ event, violations }: Pick<RejectDetail, 'event' | 'violations'>): readonly RejectField[] {
  const problems = new Map<string, string[]>();
  for (const { field, message } of violations) {
    const name = /^[^.[]*/.exec(field)![0];
    const within = field === name ? message : `${field} ${message}`;
    problems.set(name, [...(problems.get(name) ?? []), within]);
  }
  const names = [...new Set([...problems.keys(), ...Object.keys(event ?? {})])];
  return names.map((name) => ({
    name: name === '' ? 'the event' : name,
    value: event !== null && Object.hasOwn(event, name) ? JSON.stringify(event[name]) : undefined,
    problems: problems.get(name) ?? [],
  }));
}
