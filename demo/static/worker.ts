import type { StaticFiles } from '../server/static-folder.ts';
import type { Answer, Asked, Here, Wanted } from './message.ts';
import type { PageClient, WorkerScope } from './worker-scope.ts';

/**
 * The service worker of the static demo. Files come from its cache, also without a network; everything else is answered
 * by the page that holds the simulator and the servers. It keeps nothing itself, because a browser may end it at any
 * moment.
 */
declare const STATIC_FILES: StaticFiles;

const scope = self as unknown as WorkerScope;
const { version, files } = STATIC_FILES;
const CACHE = `bank-connect-demo-${version}`;
const BASE = new URL('./', scope.location.href).pathname;
/** A page that has just been opened takes about a second to build its servers. */
const PATIENCE_MS = 15_000;
/** Pages of the simulator that are opened in a window of their own. */
const OWN_WINDOW = /^link\/oauth\//;

/** The page that answers; and those who wait for one. */
let host: string | undefined;
const waiting: (() => void)[] = [];

scope.addEventListener('install', (event) => {
  const fetchAll = async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll(files.map((file) => new Request(BASE + file, { cache: 'reload' })));
    await scope.skipWaiting();
  };
  event.waitUntil(fetchAll());
});

scope.addEventListener('activate', (event) => {
  const takeOver = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith('bank-connect-demo-') && name !== CACHE) await caches.delete(name);
    }
    await scope.clients.claim();
  };
  event.waitUntil(takeOver());
});

scope.addEventListener('message', ({ data, source }) => {
  if ((data as Partial<Here>).kind !== 'host' || !source) return;
  host = source.id;
  for (const go of waiting.splice(0)) go();
});

scope.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== scope.location.origin) return;
  // Scripts of the pages name addresses from the root.
  const path = url.pathname.startsWith(BASE) ? url.pathname.slice(BASE.length) : url.pathname.slice(1);
  if (request.destination === 'document' && !OWN_WINDOW.test(path)) event.respondWith(shell());
  else if (files.includes(path)) event.respondWith(file(path));
  else event.respondWith(ask(request, `/${path}${url.search}`));
});

/** The page around all others, for whichever address is opened. */
async function shell(): Promise<Response> {
  const html = await (await file('index.html')).text();
  return new Response(html.replaceAll('"./', `"${BASE}`), { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
}

async function file(path: string): Promise<Response> {
  return (await caches.match(BASE + path)) ?? fetch(BASE + path);
}

async function ask(request: Request, path: string): Promise<Response> {
  const client = await findHost();
  if (!client) return new Response('The page that answers is gone: open the demo again.', { status: 503 });
  const isEmpty = request.method === 'GET' || request.method === 'HEAD';
  const body = isEmpty ? null : await request.arrayBuffer();
  const asked: Asked = { kind: 'request', url: path, method: request.method, headers: [...request.headers], body };
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    let parts: ReadableStreamDefaultController<Uint8Array> | undefined;
    port1.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (data.kind === 'head') {
        const { status, headers, hasBody } = data;
        const stream = new ReadableStream<Uint8Array>({
          start: (controller) => {
            parts = controller;
          },
          cancel: () => port1.postMessage('cancel'),
        });
        resolve(new Response(hasBody ? stream : null, { status, headers }));
      } else if (data.kind === 'part') parts?.enqueue(data.bytes);
      else {
        parts?.close();
        port1.close();
      }
    };
    client.postMessage(asked, [port2]);
  });
}

async function findHost(): Promise<PageClient | undefined> {
  const known = host && (await scope.clients.get(host));
  if (known) return known;
  const found = new Promise<void>((resolve) => waiting.push(resolve));
  const wanted: Wanted = { kind: 'who' };
  for (const client of await scope.clients.matchAll({ type: 'window', includeUncontrolled: true }))
    client.postMessage(wanted);
  await Promise.race([found, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  return host ? scope.clients.get(host) : undefined;
}
