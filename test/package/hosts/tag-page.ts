import { createElement, StrictMode, useState } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';
import '../../../widget/index.ts';
import { SimulatedBackend } from '../../widget/helpers/simulated-backend.ts';
import { SimulatedLink } from '../../widget/helpers/simulated-link.ts';
import { Checkout } from './tag-app.ts';

/** What the test reads and does, from outside of the page. */
export interface TagPage {
  backend: SimulatedBackend;
  link: SimulatedLink;
  warnings: string[];
  events: string[];
  renders: number;
}

const warnings: string[] = [];
for (const level of ['error', 'warn'] as const)
  console[level] = (...words: unknown[]) => warnings.push(words.map(String).join(' '));

const backend = new SimulatedBackend();
const page: TagPage = {
  backend,
  link: (globalThis.Plaid as SimulatedLink | undefined) ?? SimulatedLink.install(),
  warnings,
  events: [],
  renders: 0,
};

/** Renders again in answer to every event, with everything new. */
function Page() {
  const [turn, setTurn] = useState(0);
  page.renders++;
  const on = ({ type }: Event) => {
    page.events.push(type);
    setTurn((before) => before + 1);
  };
  return createElement(
    Checkout,
    {
      backend: {
        createPublicSession: backend.createPublicSession.bind(backend),
        createLinkToken: backend.createLinkToken.bind(backend),
        complete: backend.complete.bind(backend),
        getSession: backend.getSession.bind(backend),
      },
      fetchClientSecret: () => Promise.resolve('ses_1_secret_a'),
      strings: { connect: 'Pay by bank' },
      'onfbc-open': on,
      'onfbc-step': on,
      'onfbc-connected': on,
      'onfbc-canceled': on,
      'onfbc-error': on,
    },
    turn ? createElement('b', { slot: 'legal', key: turn }, `Turn ${turn}`) : null,
  );
}

const place = document.querySelector('#root') as HTMLElement;
const app = createElement(StrictMode, null, createElement(Page));
if (place.firstChild) hydrateRoot(place, app);
else createRoot(place).render(app);
Object.assign(globalThis, { tag: page });
