/**
 * The part of a service worker's world that the demo's uses. TypeScript's own names for it do not go together with
 * those of a page.
 */

interface ExtendableEvent {
  waitUntil(work: Promise<unknown>): void;
}

export interface PageClient {
  readonly id: string;
  postMessage(message: unknown, transfer?: Transferable[]): void;
}

interface WorkerEvents {
  install: ExtendableEvent;
  activate: ExtendableEvent;
  message: { readonly data: unknown; readonly source: PageClient | null };
  fetch: { readonly request: Request; respondWith(response: Promise<Response>): void };
}

export interface WorkerScope {
  readonly location: Location;
  readonly clients: {
    claim(): Promise<void>;
    get(id: string): Promise<PageClient | undefined>;
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<PageClient[]>;
  };
  skipWaiting(): Promise<void>;
  addEventListener<E extends keyof WorkerEvents>(event: E, listener: (event: WorkerEvents[E]) => void): void;
}
