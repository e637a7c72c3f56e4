import type { QueryEstimate } from '@millrace/contracts';
import { useEffect, useState } from 'preact/hooks';
import { ApiError } from '../../api/errors.ts';
import { sendForJson } from '../../api/request.ts';
import { requestOfTab } from './request-of-tab.ts';
import type { Tab } from './tabs.ts';

/** How long the user must not type before the statement is estimated. */
const quietMs = 600;

/** The cost of a statement, or the reason for which it cannot run. */
export interface EstimateState {
  readonly estimate?: QueryEstimate;
  readonly error?: ApiError;
}

/** Estimates the statement of a tab a moment after its last change. */
export function useEstimate(tab: Tab): EstimateState {
  const body = JSON.stringify(requestOfTab(tab));
  const [state, setState] = useState<EstimateState & { readonly body: string }>({ body: '' });
  useEffect(() => {
    const stop = new AbortController();
    const estimate = async (): Promise<void> => {
      try {
        const answer = await sendForJson<QueryEstimate>('/v1/queries/estimate', {
          method: 'POST',
          body: JSON.parse(body) as unknown,
          signal: stop.signal,
        });
        setState({ body, estimate: answer });
      } catch (error) {
        if (!stop.signal.aborted && error instanceof ApiError) setState({ body, error });
      }
    };
    const timer = tab.sql.trim() === '' ? undefined : setTimeout(() => void estimate(), quietMs);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [body]);
  return state.body === body ? state : {};
}
