import { ConfigError } from '@millrace/runtime';
import type { Report, ReportParameter } from './report.ts';

const head =
  /^:([a-z][a-z0-9_]{0,63}) (?:(date)|(text) (\d{1,5})|(integer) (-?\d{1,15})\.\.(-?\d{1,15}))(?: = ('(?:[^']|'')*'|[^\s':]+))?: (\S.*)$/;

/** Texts and quoted names hold no placeholder, and `::` begins none. */
const piece = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|::|:([a-z][a-z0-9_]*)/g;

/**
 * Parses the file of a report: comment lines with its description, one comment line for each parameter, and one statement with `:name` for
 * each value.
 *
 * @param name name of the report: that of its file without `.sql`
 * @throws ConfigError that names the file and everything that is wrong with it
 */
export function parseReport(name: string, text: string): Report {
  const lines = text.split(/\r?\n/);
  const bodyAt = lines.findIndex((line) => !line.startsWith('--'));
  const comments = lines.slice(0, Math.max(0, bodyAt)).map((line) => line.slice(2).trim());
  const problems: string[] = [];
  const parameters = comments.flatMap((line): ReportParameter[] => {
    if (!line.startsWith(':')) return [];
    const parameter = parameterOf(line);
    if (typeof parameter !== 'string') return [parameter];
    problems.push(`"${line}" ${parameter}`);
    return [];
  });
  const description = comments.filter((line) => line !== '' && !line.startsWith(':')).join(' ');
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(name)) problems.push('its name must have 1 to 64 lower-case letters, digits and hyphens');
  if (description === '') problems.push('its first line must be a comment that describes the report');
  const binds: string[] = [];
  const sql = lines
    .slice(Math.max(0, bodyAt))
    .join('\n')
    .trim()
    .replace(/;$/, '')
    .replace(piece, (found: string, placeholder: string | undefined) => {
      if (placeholder === undefined) return found;
      binds.push(placeholder);
      return '?';
    });
  if (sql === '') problems.push('it has no statement');
  const names = parameters.map((parameter) => parameter.name);
  for (const used of new Set(binds)) if (!names.includes(used)) problems.push(`:${used} has no line "-- :${used} <type>: <description>"`);
  for (const given of names) if (!binds.includes(given)) problems.push(`the statement does not use the parameter ${given}`);
  if (new Set(names).size < names.length) problems.push('a parameter is declared twice');
  if (problems.length > 0) throw new ConfigError(problems.map((problem) => `The report ${name}.sql: ${problem}.`));
  return { name, description, parameters, sql, binds };
}

/** The parameter of a line, or the reason why the line declares none. */
function parameterOf(line: string): ReportParameter | string {
  const match = head.exec(line);
  if (match === null)
    return (
      'must be ":<name> <type>: <description>", with " = <default>" before the colon where it has one, and the type ' +
      '"date", "text <characters>" or "integer <minimum>..<maximum>"'
    );
  const [, name = '', date, text, characters, , minimum, maximum, value, description = ''] = match;
  const quoted = value?.startsWith("'") === true ? value.slice(1, -1).replaceAll("''", "'") : value;
  if (date !== undefined) return { name, type: 'date', description, ...(quoted === undefined ? {} : { default: quoted }) };
  if (text !== undefined)
    return { name, type: 'text', description, charactersMax: Number(characters), ...(quoted === undefined ? {} : { default: quoted }) };
  const given = quoted === undefined ? undefined : Number(quoted);
  if (Number.isNaN(given)) return 'must have a whole number as its default';
  if (Number(minimum) > Number(maximum)) return 'must have a minimum that is not above its maximum';
  return {
    name,
    type: 'integer',
    description,
    minimum: Number(minimum),
    maximum: Number(maximum),
    ...(given === undefined ? {} : { default: given }),
  };
}
