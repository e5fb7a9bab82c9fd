import { createHash } from 'node:crypto';
import type { Hono } from 'hono';
import { ProblemError } from '../../errors.ts';
import type { AppContext, AppDeps, AppEnv } from '../context.ts';
import { findArchivedScript, MOVING_NAME } from '../script-archive.ts';

/** A fix reaches every page within this time. Seconds. */
const MOVING_SECONDS = 300;
/** A year is the longest life that caches honor. */
const FOREVER_SECONDS = 31_536_000;

interface Script {
  content: Uint8Array;
  etag: string;
}

/**
 * The script-tag bundle, from the server that the element then talks to: its folder is the element's default endpoint.
 */
export function scriptRoutes(app: Hono<AppEnv>, { script, storage }: AppDeps): void {
  if (!script) return;
  // Each file that the moving script loads has its content's hash in its name, so it is as immutable as the pinned one.
  const immutable = new Map<string, Script>();
  for (const [name, content] of script.files) {
    if (name !== MOVING_NAME) immutable.set(name, toScript(content));
  }
  const entry = script.files.get(MOVING_NAME);
  const moving = entry && toScript(entry);

  app.get(`/${MOVING_NAME}`, (c) => {
    if (!moving) throw new ProblemError('not_found');
    return send(c, moving, `public, max-age=${MOVING_SECONDS}`);
  });

  // A program that writes the address may have encoded the version's `@`.
  app.get('/:file{[\\w.@%-]+\\.js}', async (c) => {
    const name = c.req.param('file');
    const found = immutable.get(name) ?? (await fromArchive(name));
    if (!found) throw new ProblemError('not_found');
    return send(c, found, `public, max-age=${FOREVER_SECONDS}, immutable`);
  });

  async function fromArchive(name: string): Promise<Script | undefined> {
    const content = await findArchivedScript(storage, name);
    if (!content) return undefined;
    const found = toScript(content);
    // What there is to remember is bounded by what was ever released.
    immutable.set(name, found);
    return found;
  }
}

/** A list of tags, or `*`. A proxy that compresses makes weak ones of ours, which is the same content for a cache. */
function hasCopy(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}

function toScript(content: Uint8Array): Script {
  return { content, etag: `"${createHash('sha256').update(content).digest('base64url')}"` };
}

function send(c: AppContext, { content, etag }: Script, cacheControl: string): Response {
  const headers = {
    'Content-Type': 'text/javascript; charset=utf-8',
    'Cache-Control': cacheControl,
    // Module scripts are always fetched with CORS, and pages that isolate themselves need the second.
    'Access-Control-Allow-Origin': '*',
    'Cross-Origin-Resource-Policy': 'cross-origin',
    ETag: etag,
  };
  if (hasCopy(c.req.header('If-None-Match'), etag)) return c.body(null, 304, headers);
  return c.body(content as Uint8Array<ArrayBuffer>, 200, headers);
}
