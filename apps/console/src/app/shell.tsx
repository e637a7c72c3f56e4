import type { CallerView } from '@millrace/contracts';
import { ErrorBoundary, LocationProvider, Route, Router, useLocation } from 'preact-iso';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { hasScope, signOut } from '../api/session.ts';
import { ProblemNote } from '../parts/problem-note.tsx';
import { KeysHelp } from './keys-help.tsx';
import { base, pathTo } from './paths.ts';
import { screens, type Screen } from './screens.ts';
import { ThemeChoice } from './theme-choice.tsx';

/** Navigation and the current screen. */
export function Shell({ caller }: { readonly caller: CallerView }): JSX.Element {
  const shown = screens.filter(({ scopes, needsChaos = false }) => hasScope(scopes) && (!needsChaos || caller.chaosUrl !== undefined));
  return (
    <LocationProvider scope={base}>
      <div class="shell">
        <header class="top">
          <a class="brand" href={base}>
            <img src={`${base}/icon.svg`} width="24" height="24" alt="" />
            Millrace
          </a>
          <div class="end">
            <span class="who" title={caller.scopes.join(', ')}>
              {caller.kind === 'anonymous' ? 'Authentication is off' : <bdi>{caller.subject}</bdi>}
            </span>
            <ThemeChoice />
            <KeysHelp />
            {caller.kind === 'anonymous' ? null : (
              <button type="button" onClick={() => signOut()}>
                Sign out
              </button>
            )}
          </div>
        </header>
        <Navigation shown={shown} />
        <main class="main" id="main">
          <Screens shown={shown} />
        </main>
      </div>
    </LocationProvider>
  );
}

function Navigation({ shown }: { readonly shown: readonly Screen[] }): JSX.Element {
  const { path } = useLocation();
  return (
    <nav class="nav" aria-label="Screens">
      <ul>
        {shown
          .filter(({ isLinkedOnly = false }) => !isLinkedOnly)
          .map((screen, index) => {
            const to = pathTo(screen.path);
            const isCurrent = path === to || path.startsWith(`${to}/`) || (index === 0 && path === base);
            return (
              <li key={screen.path}>
                <a href={to} aria-current={isCurrent ? 'page' : undefined}>
                  {screen.title}
                </a>
              </li>
            );
          })}
      </ul>
    </nav>
  );
}

function Screens({ shown }: { readonly shown: readonly Screen[] }): JSX.Element {
  const { path } = useLocation();
  const [failure, setFailure] = useState<{ readonly path: string; readonly error: unknown }>();
  useEffect(() => {
    const screen = shown.find((one) => path.startsWith(pathTo(one.path))) ?? shown[0];
    document.title = `${screen?.title ?? 'Console'} · Millrace`;
  }, [path, shown]);
  const [first] = shown;
  if (first === undefined)
    return <p class="note warn">Your credential has no scope that the console can use. Ask an operator for the scope queries:run.</p>;
  if (failure?.path === path) return <ProblemNote error={failure.error} />;
  return (
    <ErrorBoundary onError={(error) => setFailure({ path, error })}>
      <Router>
        {shown.map(({ path: name, component }) => (
          <Route key={name} path={`${pathTo(name)}/:item?`} component={component} />
        ))}
        <Route path={base} component={first.component} />
        <Route default component={NotFound} />
      </Router>
    </ErrorBoundary>
  );
}

function NotFound(): JSX.Element {
  return <p class="note">There is no such screen, or your credential lacks its scope.</p>;
}
