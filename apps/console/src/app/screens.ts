import { lazy } from 'preact-iso';
import type { ComponentType } from 'preact';

/** A screen of the console. */
export interface Screen {
  readonly path: string;
  readonly title: string;
  /** Scopes of which the user needs one. */
  readonly scopes: readonly string[];
  readonly component: ComponentType;
  /** Whether only links of other screens lead to it. Default: the navigation has it. */
  readonly isLinkedOnly?: boolean;
  /** Whether there must be an endpoint of attacks. Default: the screen needs none. */
  readonly needsChaos?: boolean;
}

/** The screens in the order of the navigation. The first one that the user may see is the start page. */
export const screens: readonly Screen[] = [
  {
    path: 'flow',
    title: 'Flow',
    scopes: ['admin'],
    component: lazy(async () => (await import('../screens/flow/flow-screen.tsx')).FlowScreen),
  },
  {
    path: 'ask',
    title: 'Ask',
    scopes: ['queries:run'],
    component: lazy(async () => (await import('../screens/ask/ask-screen.tsx')).AskScreen),
  },
  {
    path: 'queries',
    title: 'Queries',
    scopes: ['queries:run', 'admin'],
    component: lazy(async () => (await import('../screens/queries/queries-screen.tsx')).QueriesScreen),
  },
  {
    path: 'tables',
    title: 'Tables',
    scopes: ['queries:run'],
    component: lazy(async () => (await import('../screens/tables/tables-screen.tsx')).TablesScreen),
  },
  {
    path: 'streams',
    title: 'Streams',
    scopes: ['queries:run', 'admin'],
    component: lazy(async () => (await import('../screens/streams/streams-screen.tsx')).StreamsScreen),
  },
  {
    path: 'event',
    title: 'Event',
    scopes: ['purchases:write'],
    component: lazy(async () => (await import('../screens/event/event-screen.tsx')).EventScreen),
  },
  {
    path: 'ledger',
    title: 'Ledger',
    scopes: ['admin'],
    component: lazy(async () => (await import('../screens/ledger/ledger-screen.tsx')).LedgerScreen),
  },
  {
    path: 'rejects',
    title: 'Rejects',
    scopes: ['admin'],
    component: lazy(async () => (await import('../screens/rejects/rejects-screen.tsx')).RejectsScreen),
  },
  {
    path: 'resilience',
    title: 'Resilience',
    scopes: ['admin'],
    component: lazy(async () => (await import('../screens/resilience/resilience-screen.tsx')).ResilienceScreen),
  },
  {
    path: 'chaos',
    title: 'Chaos',
    scopes: ['admin'],
    component: lazy(async () => (await import('../screens/chaos/chaos-screen.tsx')).ChaosScreen),
    needsChaos: true,
  },
  {
    path: 'runbook',
    title: 'Runbook',
    scopes: ['admin'],
    component: lazy(async () => (await import('../screens/runbook/runbook-screen.tsx')).RunbookScreen),
    isLinkedOnly: true,
  },
];
