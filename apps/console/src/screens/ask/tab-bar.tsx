import type { JSX } from 'preact';
import { nameOf, type Tabs } from './tabs.ts';

export interface TabBarProps {
  readonly tabs: Tabs;
  readonly onChoose: (id: string) => void;
  readonly onClose: (id: string) => void;
  readonly onNew: () => void;
}

/** The statements that are open. */
export function TabBar({ tabs: { list, current }, onChoose, onClose, onNew }: TabBarProps): JSX.Element {
  return (
    <div class="row">
      <div class="tabs" role="tablist" aria-label="Statements">
        {list.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            class="plain foreign"
            aria-selected={tab.id === current}
            tabIndex={tab.id === current ? 0 : -1}
            onClick={() => onChoose(tab.id)}
            onKeyDown={(event) => {
              const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
              const next = list[(list.findIndex(({ id }) => id === tab.id) + (step ?? 0) + list.length) % list.length]!;
              if (step === undefined) return;
              onChoose(next.id);
              const buttons = event.currentTarget.parentElement!.children;
              (buttons[list.indexOf(next)] as HTMLElement).focus();
            }}
          >
            {nameOf(tab)}
          </button>
        ))}
      </div>
      <button type="button" class="plain" onClick={onNew}>
        New tab
      </button>
      <button type="button" class="plain" onClick={() => onClose(current)}>
        Close tab
      </button>
    </div>
  );
}
