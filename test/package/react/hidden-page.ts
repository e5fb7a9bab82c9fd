import * as React from 'react';
import { type ComponentType, createElement, type ReactNode, StrictMode, Suspense, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { FinixBankConnect } from '../../../widget/react.ts';
import { SimulatedBackend, session } from '../../widget/helpers/simulated-backend.ts';
import { SimulatedLink } from '../../widget/helpers/simulated-link.ts';

/** What the test reads and does, from outside of the page. */
export interface HiddenPage {
  backend: SimulatedBackend;
  link: SimulatedLink;
  /** Events that the page's handlers were called with. */
  events: string[];
  warnings: string[];
  /** The part of the page with the element waits for data, until `resume`. */
  suspend(): void;
  resume(): void;
  /** The part of the page with the element is not the one to see. */
  hide(isHidden: boolean): void;
  unmount(): void;
  /** The server's answer once a bank is connected. */
  completed: ReturnType<typeof session>;
  hasActivity: boolean;
}

const warnings: string[] = [];
for (const level of ['error', 'warn'] as const)
  console[level] = (...words: unknown[]) => warnings.push(words.map(String).join(' '));

interface ActivityProps {
  mode: 'visible' | 'hidden';
  children?: ReactNode;
}
// React has it from 19.2 on.
const Activity = (React as unknown as { Activity?: ComponentType<ActivityProps> }).Activity;

const backend = new SimulatedBackend();
const events: string[] = [];
let waiting: { promise: Promise<void>; isOver: boolean; end(): void } | null = null;
let set: (change: Partial<{ isHidden: boolean; turn: number }>) => void = () => {};

/** As a component that reads data does. */
function Data() {
  if (waiting && !waiting.isOver) throw waiting.promise;
  return createElement('p', null, 'Total: $12');
}

function Page() {
  const [{ isHidden, turn }, setView] = useState({ isHidden: false, turn: 0 });
  set = (change) => setView((before) => ({ ...before, ...change }));
  const on = ({ type }: Event) => {
    events.push(type);
    setView((before) => ({ ...before, turn: before.turn + 1 }));
  };
  const form = createElement(
    'form',
    { 'data-turn': turn },
    createElement(FinixBankConnect, {
      name: 'bank',
      backend,
      fetchClientSecret: async () => 'ses_1_secret_a',
      strings: { legal: 'Through Plaid.' },
      onOpen: on,
      onStep: on,
      onConnected: on,
      onCanceled: on,
      onError: on,
    }),
    createElement(Data),
  );
  const part = createElement(Suspense, { fallback: createElement('p', null, 'Loading') }, form);
  return Activity ? createElement(Activity, { mode: isHidden ? 'hidden' : 'visible' }, part) : part;
}

const root = createRoot(document.querySelector('#root') as HTMLElement);
root.render(createElement(StrictMode, null, createElement(Page)));
Object.assign(globalThis, {
  hiddenPage: {
    backend,
    link: SimulatedLink.install(),
    events,
    warnings,
    suspend() {
      let end = () => {};
      const promise = new Promise<void>((resolve) => (end = resolve));
      waiting = { promise, isOver: false, end };
      set({ turn: -1 });
    },
    resume() {
      if (waiting) waiting.isOver = true;
      waiting?.end();
    },
    hide: (isHidden) => set({ isHidden }),
    unmount: () => root.unmount(),
    completed: session('completed', ['active']),
    hasActivity: Activity !== undefined,
  } satisfies HiddenPage,
});
