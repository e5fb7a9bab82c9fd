import type { FinixBankConnect } from '../../widget/finix-bank-connect.ts';
import type { StoryState } from '../step.ts';

/**
 * The script of a merchant's page: the element gets its secret from the merchant's server, and the page of an order
 * keeps up with its bank.
 */
const root = document.documentElement;
const { merchant } = root.dataset;
if (window.parent !== window) root.dataset['framed'] = '';
connect();
if (location.pathname.includes('/orders/')) followOrder();

function connect(): void {
  const element = document.querySelector<FinixBankConnect>('finix-bank-connect:not([client-secret])');
  if (!element) return;
  let first = true;
  element.fetchClientSecret = async () => {
    // A reload continues with the session of before; a second call on one page asks for another.
    const fresh = !first;
    first = false;
    const response = await fetch('/api/session', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ merchant, fresh }),
    });
    if (!response.ok) throw new Error(`The shop gave no session (${response.status}).`);
    return ((await response.json()) as { client_secret: string }).client_secret;
  };
}

/** Shows what became of the order when its bank, its login or its debit changes. */
function followOrder(): void {
  const source = new EventSource('/api/story');
  let known: string | undefined;
  source.addEventListener('state', ({ data }: MessageEvent<string>) => {
    const state = JSON.parse(data) as StoryState;
    if (state.merchant !== merchant) return;
    const seen = JSON.stringify([state.connection, state.order]);
    // The first one is what the server has just written.
    if (known !== undefined && seen !== known) void redraw();
    known = seen;
  });
  // An open stream keeps the page out of the browser's memory of pages.
  addEventListener('pagehide', () => source.close());
}

async function redraw(): Promise<void> {
  const response = await fetch(location.href);
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('.outcome');
  const shown = document.querySelector('.outcome');
  if (!fresh || !shown) return;
  document.title = fresh.querySelector('h1')?.textContent ?? document.title;
  const swap = () => {
    // A customer who is in Link stays there: the element moves to its place in the new article within one task.
    const running = shown.querySelector(
      'finix-bank-connect:is([status="open"], [status="connecting"], [status="returning"])',
    );
    const place = document.createComment('');
    if (running) fresh.querySelector('finix-bank-connect')?.replaceWith(place);
    shown.replaceWith(fresh);
    if (running) place.replaceWith(running);
  };
  if (document.startViewTransition && !matchMedia('(prefers-reduced-motion: reduce)').matches) {
    document.startViewTransition(swap);
  } else {
    swap();
  }
}
