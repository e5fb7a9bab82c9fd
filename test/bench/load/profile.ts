import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** As V8 writes it: a tree of calls, and which of them ran at each look. */
interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number }; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
}

const IDLE = 'idle';
/** Sockets, streams, timers and promises under no call that has a row. */
const REST = 'Node';

/** What a look counts as: the first row that fits the innermost call that any row fits. */
const PARTS: [part: string, where: RegExp][] = [
  ['garbage collection', /^\(garbage collector\)$/],
  [IDLE, /^\(idle\)$/],
  ['query building', /node_modules\/kysely\//],
  ['database', /node_modules\/(pg|pg-\w+|@photostructure\/sqlite)\/|^node:sqlite|\/server\/storage\//],
  ['calls to Plaid and Finix', /node_modules\/(plaid|axios|follow-redirects|form-data|proxy-from-env)\//],
  ['calls to Plaid and Finix', /^node:(_http_client|_http_agent|internal\/deps\/undici)/],
  ['requests', /node_modules\/(hono|@hono\/node-server)\/|^node:_http_server/],
  ['context of promises', /^node:(internal\/)?async_hooks|node_modules\/@opentelemetry\//],
  ['validation', /node_modules\/zod\//],
  ['cryptography', /^node:internal\/crypto/],
  ['log and metrics', /node_modules\/(pino|sonic-boom|prom-client|tdigest|safe-stable-stringify)\//],
  ['own code', /\/dist\/server\/|\/server\/|\/test\/bench\//],
];

/** Which share of the busy time each part of the profile in `folder` has, from so many milliseconds after its start. */
export function readParts(folder: string, afterMs: number): Map<string, number> {
  const [file] = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
  if (file === undefined) throw new Error(`no profile in ${folder}`);
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile;
  const calls = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const sources = new Map<string, string[]>();
  const partOf = (id: number | undefined): string => {
    const call = id === undefined ? undefined : calls.get(id);
    if (id === undefined || !call) return REST;
    const where = call.url === '' ? call.functionName : `${call.url}${sourceOf(sources, call)}`;
    return PARTS.find(([, pattern]) => pattern.test(where))?.[0] ?? partOf(parents.get(id));
  };
  const parts = new Map<string, number>();
  let passed = 0;
  let busy = 0;
  for (const [i, id] of samples.entries()) {
    passed += (timeDeltas[i] ?? 0) / 1000;
    const part = passed < afterMs ? IDLE : partOf(id);
    if (part === IDLE) continue;
    const ms = (timeDeltas[i + 1] ?? 0) / 1000;
    busy += ms;
    parts.set(part, (parts.get(part) ?? 0) + ms);
  }
  return new Map([...parts].map(([part, ms]) => [part, ms / busy]));
}

/** The module of a line of the built server, where the bundler names each above its code. */
function sourceOf(sources: Map<string, string[]>, { url, lineNumber }: { url: string; lineNumber: number }): string {
  if (!url.endsWith('/dist/server/server.js')) return '';
  let modules = sources.get(url);
  if (!modules) {
    let present = '';
    modules = readFileSync(new URL(url), 'utf8')
      .split('\n')
      .map((line) => {
        present = /^\/\/ (server\/\S+\.ts)$/.exec(line)?.[1] ?? present;
        return present;
      });
    sources.set(url, modules);
  }
  return `/${modules[lineNumber] ?? ''}`;
}
