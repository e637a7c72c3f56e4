import type { EngineName, LayoutName } from '@millrace/contracts';
import { engineLabels, keysOf, layoutLabels } from '../../parts/names.ts';

/** A value for one `?`, with the type that the API gets. */
export interface TabParameter {
  readonly type: 'text' | 'number' | 'boolean' | 'null';
  readonly text: string;
}

/** A statement that the user writes. */
export interface Tab {
  readonly id: string;
  readonly sql: string;
  readonly parameters: readonly TabParameter[];
  /** Absent: the default of the API. */
  readonly engine?: EngineName | undefined;
  readonly layout?: LayoutName | undefined;
  /** The query that was submitted last from this tab. A reload finds it again. */
  readonly queryId?: string;
}

/** The tabs, in their order. There is always at least one. */
export interface Tabs {
  readonly list: readonly Tab[];
  readonly current: string;
}

const key = 'millrace-tabs';
/** A browser gives a page 5 MB; a statement has at most 65,536 characters. */
const tabsMax = 20;

/** The tabs of the last visit. Anything unreadable is left out. */
export function readTabs(storage: Pick<Storage, 'getItem'>, newId: () => string): Tabs {
  let kept: unknown;
  try {
    kept = JSON.parse(storage.getItem(key) ?? 'null');
  } catch {
    kept = null;
  }
  const { list = [], current } = (typeof kept === 'object' && kept !== null ? kept : {}) as { list?: unknown; current?: unknown };
  const tabs = (Array.isArray(list) ? list : []).flatMap((one) => tabFrom(one) ?? []).slice(0, tabsMax);
  const filled = tabs.length > 0 ? tabs : [{ id: newId(), sql: '', parameters: [] }];
  return { list: filled, current: filled.find(({ id }) => id === current)?.id ?? filled[0]!.id };
}

/** Keeps the tabs in this browser. They hold statements and never a credential. */
export function keepTabs(storage: Pick<Storage, 'setItem'>, tabs: Tabs): void {
  storage.setItem(key, JSON.stringify(tabs));
}

/** Opens a tab after the others and goes there. An empty current tab is replaced, and so is the oldest one of too many. */
export function openTab({ list, current }: Tabs, tab: Tab): Tabs {
  const rest = list.filter(({ id, sql }) => id !== current || sql.trim() !== '').slice(1 - tabsMax);
  return { list: [...rest, tab], current: tab.id };
}

/** Closes a tab. The last one is replaced by an empty one. */
export function closeTab({ list, current }: Tabs, id: string, newId: () => string): Tabs {
  const at = list.findIndex((tab) => tab.id === id);
  const rest = list.filter((tab) => tab.id !== id);
  if (rest.length === 0) return openTab({ list: [], current: '' }, { id: newId(), sql: '', parameters: [] });
  return { list: rest, current: current === id ? rest[Math.min(at, rest.length - 1)]!.id : current };
}

/** Changes the current tab. */
export function changeTab({ list, current }: Tabs, change: Partial<Tab>): Tabs {
  return { list: list.map((tab) => (tab.id === current ? { ...tab, ...change } : tab)), current };
}

/** Replaces the statement of a tab by its formatted text, unless the user changed it since. */
export function replaceStatement(tabs: Tabs, { id, sql }: Pick<Tab, 'id' | 'sql'>, formatted: string): Tabs {
  return { ...tabs, list: tabs.list.map((tab) => (tab.id === id && tab.sql === sql ? { ...tab, sql: formatted } : tab)) };
}

/** A short name of a tab: the table that its statement reads, or its first words. */
export function nameOf({ sql }: Pick<Tab, 'sql'>): string {
  const text = sql.replaceAll(/\s+/g, ' ').trim();
  if (text === '') return 'New statement';
  return text.length > 28 ? `${Array.from(text).slice(0, 27).join('')}…` : text;
}

/** A tab from a storage or a link; undefined for any other value. */
export function tabFrom(value: unknown): Tab | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, sql, parameters, engine, layout, queryId } = value as Record<string, unknown>;
  if (typeof id !== 'string' || typeof sql !== 'string') return undefined;
  const knownEngine = keysOf(engineLabels).find((name) => name === engine);
  const knownLayout = keysOf(layoutLabels).find((name) => name === layout);
  return {
    id,
    sql,
    parameters: (Array.isArray(parameters) ? parameters : []).flatMap((one) => parameterFrom(one) ?? []),
    ...(knownEngine === undefined ? {} : { engine: knownEngine }),
    ...(knownLayout === undefined ? {} : { layout: knownLayout }),
    ...(typeof queryId === 'string' ? { queryId } : {}),
  };
}

function parameterFrom(value: unknown): TabParameter | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, text } = value as Record<string, unknown>;
  const known = (['text', 'number', 'boolean', 'null'] as const).find((name) => name === type);
  return known === undefined || typeof text !== 'string' ? undefined : { type: known, text };
}
