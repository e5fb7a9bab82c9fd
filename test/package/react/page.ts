import { createElement, StrictMode, useState } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';
import { SimulatedBackend } from '../../widget/helpers/simulated-backend.ts';
import { SimulatedLink } from '../../widget/helpers/simulated-link.ts';
import { App, type Received } from './app.ts';

/** What the test reads and does, from outside of the page. */
export interface ReactPage {
  backend: SimulatedBackend;
  link: SimulatedLink;
  received: Received[];
  /** How often `fetchClientSecret` was called, and by which render's function. */
  secretsOf: number[];
  warnings: string[];
  render(props: { shown: boolean; turn: number; required?: boolean }): void;
  unmount(): void;
}

const warnings: string[] = [];
for (const level of ['error', 'warn'] as const)
  console[level] = (...words: unknown[]) => warnings.push(words.map(String).join(' '));

const backend = new SimulatedBackend();
const link = SimulatedLink.install();
const received: Received[] = [];
const secretsOf: number[] = [];
let set: ReactPage['render'] = () => {};

function Page() {
  const [props, setProps] = useState<Parameters<ReactPage['render']>[0]>({ shown: true, turn: 1 });
  set = setProps;
  const fetchClientSecret = async () => {
    secretsOf.push(props.turn);
    return 'ses_1_secret_a';
  };
  return createElement(App, { ...props, backend, fetchClientSecret, receive: (event) => received.push(event) });
}

const place = document.querySelector('#root') as HTMLElement;
const app = createElement(StrictMode, null, createElement(Page));
const root = place.firstChild ? hydrateRoot(place, app) : createRoot(place);
if (!place.firstChild) root.render(app);

Object.assign(globalThis, {
  page: {
    backend,
    link,
    received,
    secretsOf,
    warnings,
    render: (props) => set(props),
    unmount: () => root.unmount(),
  } satisfies ReactPage,
});
