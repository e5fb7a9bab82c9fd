/** What the service worker and the page that answers for the servers say to each other. */

/** From the worker, with a port for the answer. */
export interface Asked {
  kind: 'request';
  url: string;
  method: string;
  headers: [string, string][];
  body: ArrayBuffer | null;
}

/** From the worker to all pages: which of you answers? */
export interface Wanted {
  kind: 'who';
}

/** From the page that answers. */
export interface Here {
  kind: 'host';
}

/** Through the port: first the head, then any number of parts, then the end. */
export type Answer =
  | { kind: 'head'; status: number; headers: [string, string][]; hasBody: boolean }
  | { kind: 'part'; bytes: Uint8Array<ArrayBuffer> }
  | { kind: 'end' };
