import type { Answer, Asked, Here, Wanted } from './message.ts';
import type { Answers } from './servers.ts';

/**
 * The page around the static demo. It answers for the servers, through the service worker, and shows the demo in a
 * frame, so that going from page to page ends nothing. Of several tabs one answers for all, as one server would.
 */
const base = new URL(document.documentElement.dataset['root'] ?? './', location.href).pathname;
const frame = document.getElementById('demo') as HTMLIFrameElement;
const LOCK = 'bank-connect-demo';
/** Below half a minute without work, after which browsers end a service worker. */
const AWAKE_MS = 20_000;

start().catch((error: unknown) => say(`The demo did not start. ${(error as Error).message}`));

async function start(): Promise<void> {
  if (!('serviceWorker' in navigator)) {
    say(
      'This demo answers its own requests with a service worker, which browsers allow over https and on localhost only.',
    );
    return;
  }
  await navigator.serviceWorker.register(`${base}sw.js`, { scope: base });
  await navigator.serviceWorker.ready;
  const show = () => {
    frame.src = base + location.href.slice(location.origin.length + base.length);
  };
  frame.addEventListener('load', follow);
  if (await isFirst()) {
    await serve();
    show();
  } else {
    show();
    // The tab that answers until now will be closed, and what it knows goes with it.
    void navigator.locks.request(LOCK, async () => {
      await serve();
      if (isShown()) frame.contentWindow?.location.reload();
      await forever();
    });
  }
  setInterval(() => navigator.serviceWorker.controller?.postMessage('awake'), AWAKE_MS);
}

/** Whether no other tab answers; from then on this one does. */
function isFirst(): Promise<boolean> {
  return new Promise((resolve) => {
    void navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
      resolve(lock !== null);
      if (lock) await forever();
    });
  });
}

async function serve(): Promise<void> {
  const [{ createServers }, pages] = await Promise.all([
    import('./servers.ts'),
    fetch(`${base}pages.json`).then((response) => response.json() as Promise<Record<string, string>>),
  ]);
  answerWith(createServers(pages, base));
}

const forever = () => new Promise<never>(() => {});
const isShown = () => document.documentElement.dataset['ready'] !== undefined;

function answerWith(answers: Answers): void {
  const here: Here = { kind: 'host' };
  const announce = () => void navigator.serviceWorker.ready.then(({ active }) => active?.postMessage(here));
  navigator.serviceWorker.addEventListener('message', ({ data, ports }: MessageEvent<Asked | Wanted>) => {
    if (data.kind === 'who') announce();
    else if (ports[0]) void answer(answers, data, ports[0]);
  });
  navigator.serviceWorker.startMessages();
  announce();
}

async function answer(answers: Answers, { url, method, headers, body }: Asked, port: MessagePort): Promise<void> {
  const tell = (part: Answer) => port.postMessage(part);
  const request = new Request(location.origin + url, { method, headers, body });
  const response = await answers(request).catch(() => new Response('The demo failed.', { status: 500 }));
  const hasBody = response.body !== null;
  tell({ kind: 'head', status: response.status, headers: [...response.headers], hasBody });
  const reader = response.body?.getReader();
  port.onmessage = () => void reader?.cancel();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    tell({ kind: 'part', bytes: part.value as Uint8Array<ArrayBuffer> });
  }
  tell({ kind: 'end' });
}

/**
 * The address and the title of this page are those of the page in the frame, so that they can be shared and found
 * again.
 */
function follow(): void {
  const inner = frame.contentWindow;
  // Before there is a page in it.
  if (!inner?.location.href.startsWith(location.origin)) return;
  const copy = () => history.replaceState(null, '', inner.location.href);
  const replace = inner.history.replaceState.bind(inner.history);
  inner.history.replaceState = (...state) => {
    replace(...state);
    copy();
  };
  copy();
  document.title = inner.document.title;
  document.documentElement.dataset['ready'] = '';
  // The keys of the presenter are those of the story.
  inner.focus();
}

function say(text: string): void {
  const notice = document.getElementById('notice');
  if (notice) notice.textContent = text;
}
