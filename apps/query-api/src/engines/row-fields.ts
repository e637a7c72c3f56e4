import { uniqueNames } from './column-names.ts';

/** Names of a row's fields. One without a name is `field0`, `field1`, … by its place, as Trino writes it in JSON. */
export function fieldNames(names: readonly string[]): string[] {
  return uniqueNames(names.map((name, index) => (name === '' ? `field${index}` : name)));
}
