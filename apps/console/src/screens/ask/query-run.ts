import type { InlineQueryView, QueryEstimate, QueryRequest, QueryView, ResultPage } from '@millrace/contracts';
import { signal } from '@preact/signals';
import { ApiError } from '../../api/errors.ts';
import { sendForEvents, sendForJson } from '../../api/request.ts';
import type { Column, Row } from '../../parts/grid/cells.ts';

/** Rows that one request fetches. */
const pageRows = 1000;
const pollMs = 1000;

/** State of one run, with the rows that are loaded. */
export interface RunState {
  readonly view: QueryView;
  /** Estimate from before the run, to compare with the bill. */
  readonly estimate?: QueryEstimate | undefined;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** Cursor of the next page. Absent: every row is loaded. */
  readonly next?: string | undefined;
  readonly isLoading: boolean;
}

/** Whether a query has ended. */
export function isFinal({ state }: QueryView): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}

/** One query from its request to its rows. It continues at the server when the page is left. */
export class QueryRun {
  readonly state = signal<RunState | undefined>(undefined);
  /** A refused request, or a read that failed. */
  readonly error = signal<unknown>(undefined);
  readonly isSubmitting = signal(false);
  #stop = new AbortController();

  /** Whether a query is submitted or runs. */
  get isBusy(): boolean {
    const { value } = this.state;
    return this.isSubmitting.value || (value !== undefined && !isFinal(value.view));
  }

  /** Submits a query and follows it to its first page. Returns its id, or undefined when it was refused. */
  async start(request: QueryRequest, estimate?: QueryEstimate): Promise<string | undefined> {
    this.leave();
    this.state.value = undefined;
    this.isSubmitting.value = true;
    const { signal: stop } = this.#stop;
    try {
      const view = await sendForJson<InlineQueryView>('/v1/queries', { method: 'POST', body: request, signal: stop });
      this.#show(view, estimate);
      void this.#follow(view, stop);
      return view.id;
    } catch (error) {
      if (!stop.aborted) this.error.value = error;
      return undefined;
    } finally {
      if (!stop.aborted) this.isSubmitting.value = false;
    }
  }

  /** Finds a query of an earlier visit again. An id that is no longer kept shows nothing. */
  async attach(id: string): Promise<void> {
    this.leave();
    const { signal: stop } = this.#stop;
    try {
      const view = await sendForJson<QueryView>(`/v1/queries/${encodeURIComponent(id)}`, { signal: stop });
      this.#show(view);
      await this.#follow(view, stop);
    } catch (error) {
      if (!stop.aborted && !(error instanceof ApiError && error.code === 'not-found')) this.error.value = error;
    }
  }

  /** Cancels the query, in the engine too. */
  async cancel(): Promise<void> {
    const id = this.state.value?.view.id;
    if (id === undefined) return;
    try {
      this.#show(await sendForJson<QueryView>(`/v1/queries/${id}`, { method: 'DELETE' }));
    } catch (error) {
      this.error.value = error;
    }
  }

  /** Loads the next page. */
  async loadMore(): Promise<void> {
    const { value } = this.state;
    if (value?.next === undefined || value.isLoading) return;
    await this.#load(value.view, this.#stop.signal, value.next);
  }

  /** Stops following. The query itself continues. */
  leave(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.error.value = undefined;
    this.isSubmitting.value = false;
  }

  #show(view: QueryView, estimate = this.state.value?.estimate): void {
    this.state.value = { columns: [], rows: [], isLoading: false, ...this.state.value, view, estimate };
  }

  async #follow(submitted: QueryView, stop: AbortSignal): Promise<void> {
    let view = submitted;
    while (!isFinal(view) && !stop.aborted) {
      try {
        for await (const next of sendForEvents<QueryView>(`/v1/queries/${view.id}/events`, { signal: stop })) this.#show((view = next));
        if (!isFinal(view)) {
          view = await sendForJson<QueryView>(`/v1/queries/${view.id}`, { signal: stop });
          this.#show(view);
        }
        this.error.value = undefined;
      } catch (error) {
        if (stop.aborted) return;
        this.error.value = error;
        if (error instanceof ApiError && !error.retryable) return;
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
    }
    if (view.state === 'succeeded' && !stop.aborted) await this.#load(view, stop);
  }

  async #load(view: QueryView, stop: AbortSignal, cursor?: string): Promise<void> {
    this.state.value = { ...this.state.value!, isLoading: true };
    const query = new URLSearchParams({ limit: String(pageRows), ...(cursor === undefined ? {} : { cursor }) });
    try {
      const page = await sendForJson<ResultPage>(`${view.links.results}?${query.toString()}`, { signal: stop });
      const before = cursor === undefined ? [] : this.state.value.rows;
      this.state.value = { ...this.state.value, columns: page.columns, rows: [...before, ...page.rows], next: page.next, isLoading: false };
    } catch (error) {
      if (stop.aborted) return;
      this.state.value = { ...this.state.value, isLoading: false };
      this.error.value = error;
    }
  }
}
