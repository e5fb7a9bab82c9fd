import { createHash } from 'node:crypto';
import type { Hono } from 'hono';
import type { AppEnv, ScriptBundle } from '../http/context.ts';

/** A fix reaches every page within this time. Seconds. */
const MOVING_SECONDS = 300;
/** A year is what caches understand as forever. */
const FOREVER_SECONDS = 31_536_000;

/** The script-tag bundle, from the server that the element then talks to: its folder is the element's default endpoint. */
export function scriptRoutes(app: Hono<AppEnv>, { files }: ScriptBundle, version: string): void {
  for (const [name, content] of files) {
    const isEntry = name === 'finix-bank-connect.js';
    // Whatever the entry loads later has its content's hash in its name.
    serve(`/${name}`, content, isEntry ? MOVING_SECONDS : FOREVER_SECONDS);
    if (isEntry) serve(`/finix-bank-connect@${version}.js`, content, FOREVER_SECONDS);
  }

  function serve(path: string, content: Uint8Array, maxAge: number): void {
    const etag = `"${createHash('sha256').update(content).digest('base64url')}"`;
    const headers = {
      'Content-Type': 'text/javascript; charset=utf-8',
      'Cache-Control': `public, max-age=${maxAge}${maxAge === FOREVER_SECONDS ? ', immutable' : ''}`,
      // Module scripts are always fetched with CORS, and pages that isolate themselves need the second.
      'Access-Control-Allow-Origin': '*',
      'Cross-Origin-Resource-Policy': 'cross-origin',
      ETag: etag,
    };
    app.get(path, (c) => {
      if (c.req.header('If-None-Match') === etag) return c.body(null, 304, headers);
      return c.body(content as Uint8Array<ArrayBuffer>, 200, headers);
    });
  }
}
