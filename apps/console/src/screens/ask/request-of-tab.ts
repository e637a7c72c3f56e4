import type { SqlQueryRequest } from '@millrace/contracts';
import { tabFrom, type Tab, type TabParameter } from './tabs.ts';

/** The body of the request that runs the statement of a tab. */
export function requestOfTab({ sql, parameters, engine, layout }: Tab): SqlQueryRequest {
  return {
    sql,
    ...(parameters.length === 0 ? {} : { parameters: parameters.map(valueOf) }),
    ...(engine === undefined ? {} : { engine }),
    ...(layout === undefined ? {} : { layout }),
  };
}

/** The link that opens the statement of a tab. It is in the fragment, which browsers do not send to servers: no log holds the statement. */
export function permalinkOf({ sql, parameters, engine, layout }: Tab, page: string): string {
  const fragment = new URLSearchParams({
    sql,
    ...(parameters.length === 0 ? {} : { parameters: JSON.stringify(parameters) }),
    ...(engine === undefined ? {} : { engine }),
    ...(layout === undefined ? {} : { layout }),
  });
  return `${page}#${fragment.toString()}`;
}

/** The tab that a link describes; undefined without a statement. */
export function tabOfPermalink(hash: string, id: string): Tab | undefined {
  const fragment = new URLSearchParams(hash.slice(1));
  const sql = fragment.get('sql');
  if (sql === null) return undefined;
  let parameters: unknown;
  try {
    parameters = JSON.parse(fragment.get('parameters') ?? '[]');
  } catch {
    parameters = [];
  }
  return tabFrom({ id, sql, parameters, engine: fragment.get('engine'), layout: fragment.get('layout') });
}

// JSON has no exact number beyond 2^53: the API refuses it with the remedy, which a silent rounding would hide.
function valueOf({ type, text }: TabParameter): string | number | boolean | null {
  if (type === 'null') return null;
  if (type === 'boolean') return text === 'true';
  return type === 'number' && text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}
