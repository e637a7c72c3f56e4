/**
 * Makes names unique: a repeated name gets the first free number, `n`, `n_1`, `n_2`. A name that the statement itself gives
 * to one column only stays with that column.
 */
export function uniqueNames(names: readonly string[]): string[] {
  const given = new Set(names);
  const used = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let n = 1; used.has(unique) || (unique !== name && given.has(unique)); n += 1) unique = `${name}_${n}`;
    used.add(unique);
    return unique;
  });
}
