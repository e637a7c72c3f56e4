import type { EngineList, Problem, QueryRequest, TableList } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ApiError } from '../../api/errors.ts';
import { sendForJson } from '../../api/request.ts';
import { session } from '../../api/session.ts';
import { engineLabels, keysOf, layoutLabels } from '../../parts/names.ts';
import { usePolled } from '../../parts/polled.ts';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { CatalogPanel } from './catalog-panel.tsx';
import { copyLanguages } from './copy-as.ts';
import { EstimateNote } from './estimate-note.tsx';
import { HistoryPanel } from './history-panel.tsx';
import { Parameters } from './parameters.tsx';
import { placeOf } from './place-of-problem.ts';
import { QueryRun } from './query-run.ts';
import { ReportsPanel } from './reports-panel.tsx';
import { permalinkOf, requestOfTab, tabOfPermalink } from './request-of-tab.ts';
import { Results } from './results.tsx';
import { RunStatus } from './run-status.tsx';
import { SqlEditor, type Mark } from './sql-editor.tsx';
import { TabBar } from './tab-bar.tsx';
import { changeTab, closeTab, keepTabs, openTab, readTabs, replaceStatement, type Tab, type Tabs } from './tabs.ts';
import { useEstimate } from './use-estimate.ts';

const panels = ['Tables', 'Reports', 'History'] as const;
const newId = (): string => crypto.randomUUID();
const noTables: TableList['tables'] = [];

/** `/console/ask`: statements and reports, their cost, and their rows. */
export function AskScreen(): JSX.Element {
  const [tabs, setTabs] = useState(firstTabs);
  const [panel, setPanel] = useState<(typeof panels)[number]>('Tables');
  const [notice, setNotice] = useState('');
  const catalog = usePolled(async (signal) => await sendForJson<TableList>('/v1/tables', { signal }), undefined);
  const engines = usePolled(async (signal) => await sendForJson<EngineList>('/v1/engines', { signal }), undefined);
  const tab = tabs.list.find(({ id }) => id === tabs.current)!;
  const run = useRunOf(tab);
  const { estimate, error: refusal } = useEstimate(tab);
  const state = run.state.value;
  const queryError = useMemo(() => errorOf(state?.view.error), [state?.view.error]);
  // The statement as it is now comes first: an older failure may belong to another text.
  const failure = refusal ?? run.error.value ?? queryError;
  const mark = useMemo(() => markOf(failure), [failure]);

  useEffect(() => keepTabs(localStorage, tabs), [tabs]);

  const change = (part: Partial<Tab>): void => setTabs((before) => changeTab(before, part));
  const open = (part: Partial<Tab>): void => setTabs((before) => openTab(before, { id: newId(), sql: '', parameters: [], ...part }));
  const submit = async (request: QueryRequest): Promise<void> => {
    const id = await run.start(request, 'sql' in request ? estimate : undefined);
    setTabs((before) => ({ ...before, list: before.list.map((one) => (one.id === tab.id ? withQuery(one, id) : one)) }));
  };
  const onRun = (): void => {
    if (tab.sql.trim() !== '' && !run.isBusy) void submit(requestOfTab(tab));
  };
  const copy = async (what: string, text: string): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setNotice(`${what} is in the clipboard.`);
  };
  const format = async (): Promise<void> => {
    const { formatSql } = await import('./format-sql.ts');
    const engine = tab.engine ?? engines.data?.engines.find((one) => one.default)?.name ?? 'duckdb';
    const formatted = formatSql(tab.sql, engine);
    setNotice(formatted === undefined ? 'The statement cannot be formatted: look for an open quote or bracket.' : '');
    if (formatted !== undefined) setTabs((before) => replaceStatement(before, tab, formatted));
  };
  const isAuthOn = session.value.state === 'signed-in' && session.value.caller.kind !== 'anonymous';

  return (
    <div
      class="ask"
      onKeyDown={(event) => {
        if (event.key === 'Escape' && run.isBusy) void run.cancel();
      }}
    >
      <section class="main-column" aria-label="Statement and result">
        <h1 class="hidden">Ask</h1>
        <TabBar
          tabs={tabs}
          onChoose={(current) => setTabs((before) => ({ ...before, current }))}
          onClose={(id) => setTabs((before) => closeTab(before, id, newId))}
          onNew={() => open({})}
        />
        <SqlEditor
          key={tab.id}
          text={tab.sql}
          tables={catalog.data?.tables ?? noTables}
          mark={mark}
          onRun={onRun}
          onFormat={() => void format()}
          onChange={(sql) => change({ sql })}
        />
        <Parameters values={tab.parameters} onChange={(parameters) => change({ parameters })} />
        <div class="row">
          <button type="button" class="primary" disabled={run.isBusy || tab.sql.trim() === ''} onClick={onRun}>
            Run
          </button>
          <button type="button" class="danger" disabled={state === undefined || !run.isBusy} onClick={() => void run.cancel()}>
            Stop
          </button>
          <button type="button" disabled={tab.sql.trim() === ''} onClick={() => void format()}>
            Format
          </button>
          <button type="button" class="plain" onClick={() => void copy('The link', permalinkOf(tab, location.origin + location.pathname))}>
            Copy link
          </button>
          <EstimateNote {...(estimate === undefined ? {} : { estimate })} {...(refusal === undefined ? {} : { error: refusal })} />
        </div>
        <div class="row">
          <label class="row small">
            Engine
            <select value={tab.engine ?? ''} onChange={({ currentTarget }) => change(engineChange(currentTarget.value))}>
              <option value="">Default</option>
              {engines.data?.engines.map(({ name, default: isDefault }) => (
                <option key={name} value={name}>
                  {engineLabels[name]}
                  {isDefault ? ' (default)' : ''}
                </option>
              ))}
            </select>
          </label>
          <label class="row small">
            Layout
            <select value={tab.layout ?? ''} onChange={({ currentTarget }) => change(layoutChange(currentTarget.value))}>
              <option value="">Default</option>
              {keysOf(layoutLabels).map((name) => (
                <option key={name} value={name}>
                  {layoutLabels[name]}
                </option>
              ))}
            </select>
          </label>
          <span class="row small">
            Copy as
            <span class="segments" role="group" aria-label="Copy the request">
              {copyLanguages.map(({ label, textOf }) => (
                <button
                  key={label}
                  type="button"
                  onClick={() => void copy(`The request as ${label}`, textOf(tab, { origin: location.origin, isAuthOn }))}
                >
                  {label}
                </button>
              ))}
            </span>
          </span>
          <span class="muted small" role="status">
            {notice}
          </span>
        </div>
        {run.isSubmitting.value ? <p role="status">Submitting the query…</p> : null}
        {state === undefined ? null : <RunStatus view={state.view} estimate={state.estimate} />}
        <ProblemNote error={failure} />
        {state?.view.state === 'succeeded' ? <Results key={state.view.id} run={run} state={state} /> : null}
        {state === undefined && failure === undefined && !run.isSubmitting.value ? (
          <p class="note">
            Write a statement, or choose a report, and press Run. The price appears beside the button before anything runs.
          </p>
        ) : null}
      </section>
      <section class="card" aria-label="Catalog, reports and history">
        <div class="segments" role="group" aria-label="Panel">
          {panels.map((name) => (
            <button key={name} type="button" aria-pressed={panel === name} onClick={() => setPanel(name)}>
              {name}
            </button>
          ))}
        </div>
        {panel === 'Tables' ? <CatalogPanel tables={catalog.data?.tables ?? noTables} onOpen={(sql) => open({ sql })} /> : null}
        {panel === 'Tables' && catalog.error !== undefined ? <ProblemNote error={catalog.error} /> : null}
        {panel === 'Reports' ? (
          <ReportsPanel engine={tab.engine} isBusy={run.isBusy} onRun={(request) => void submit(request)} onOpen={(sql) => open({ sql })} />
        ) : null}
        {panel === 'History' ? (
          <HistoryPanel
            version={tab.queryId ?? ''}
            onOpen={({ id, sql, engine }) => open({ ...(sql === undefined ? {} : { sql }), engine, queryId: id })}
          />
        ) : null}
      </section>
    </div>
  );
}

/** The tabs of the last visit, and the statement of the link that was opened. */
function firstTabs(): Tabs {
  const kept = readTabs(localStorage, newId);
  const linked = tabOfPermalink(location.hash, newId());
  if (linked === undefined) return kept;
  history.replaceState(null, '', location.pathname + location.search);
  return openTab(kept, linked);
}

/** One run for each tab: a query continues while another tab is shown. */
function useRunOf(tab: Tab): QueryRun {
  const runs = useRef(new Map<string, QueryRun>());
  const known = runs.current.get(tab.id);
  const run = known ?? new QueryRun();
  if (known === undefined) runs.current.set(tab.id, run);
  useEffect(() => {
    if (known === undefined && tab.queryId !== undefined) void run.attach(tab.queryId);
  }, [run]);
  useEffect(
    () => () => {
      for (const one of runs.current.values()) one.leave();
    },
    [],
  );
  return run;
}

function withQuery(tab: Tab, queryId: string | undefined): Tab {
  const { queryId: _before, ...rest } = tab;
  return queryId === undefined ? rest : { ...rest, queryId };
}

function engineChange(value: string): Partial<Tab> {
  return { engine: keysOf(engineLabels).find((name) => name === value) };
}

function layoutChange(value: string): Partial<Tab> {
  return { layout: keysOf(layoutLabels).find((name) => name === value) };
}

function errorOf(problem: Problem | undefined): ApiError | undefined {
  return problem === undefined ? undefined : new ApiError(problem.detail ?? problem.title, problem);
}

function markOf(failure: unknown): Mark | undefined {
  if (!(failure instanceof ApiError) || failure.problem === undefined) return undefined;
  const place = placeOf(failure.problem);
  return place === undefined ? undefined : { place, message: failure.message };
}
