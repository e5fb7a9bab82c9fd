import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { filesIn, type Import, importsOf, project } from './imports.ts';

/**
 * The folders as floors, from the top: a file imports from its own floor and from those below, types included. A place
 * that ends with a slash is a folder with all that is in it; files at the root are named one by one, since entries are
 * on the top floor and what everything uses is on the lowest.
 */
export const FLOORS: Readonly<Record<'widget' | 'server', readonly (readonly string[])[]>> = {
  widget: [
    ['widget/index.ts', 'widget/embed.ts', 'widget/react.ts', 'widget/headless.ts', 'widget/client.ts', 'widget/jsx/'],
    ['widget/define.ts'],
    ['widget/finix-bank-connect.ts'],
    ['widget/detour/'],
    ['widget/lazy/'],
    ['widget/element/'],
    ['widget/flow/'],
    ['widget/link/'],
    ['widget/session/'],
    ['widget/i18n/'],
    // For a merchant's server: needs nothing of the element.
    ['widget/client/'],
    ['widget/diagnose.ts'],
    ['widget/errors.ts'],
    ['widget/within.ts'],
    ['widget/contract.ts'],
    ['widget/contract/'],
  ],
  server: [
    ['server/main.ts', 'server/index.ts', 'server/commands/'],
    ['server/server.ts'],
    ['server/create-server.ts'],
    ['server/diagnosis/'],
    ['server/http/'],
    ['server/jobs/'],
    ['server/webhooks/'],
    ['server/lifecycle/'],
    ['server/connect/'],
    ['server/links/'],
    ['server/deliveries/'],
    ['server/records/'],
    ['server/work/'],
    ['server/clients/'],
    ['server/storage/'],
    ['server/config.ts'],
    ['server/settings/'],
    ['server/log.ts', 'server/metrics.ts', 'server/trace.ts', 'server/errors.ts', 'server/ids.ts', 'server/hosts.ts'],
  ],
};

/** Imports that go up for a reason, each as `file imports file`: of types, or when the code gets there. */
export const UPWARD: ReadonlySet<string> = new Set([
  // The second chunk, when the element needs it.
  'widget/element/load-lazy.ts imports widget/lazy/index.ts',
  // The third, when a customer's way leads there.
  'widget/lazy/load-detour.ts imports widget/detour/index.ts',
]);

/** An import of one of the project's files by another. */
export interface Arrow extends Import {
  from: string;
  to: string;
}

export function arrowsOf(file: string, code: string): Arrow[] {
  return importsOf(file, code).flatMap((found) =>
    found.specifier?.startsWith('.') ? [{ ...found, from: file, to: posix.join(dirname(file), found.specifier) }] : [],
  );
}

/** All arrows between the files in `folder`. */
export function arrowsIn(folder: string): Arrow[] {
  return filesIn(folder, '.ts')
    .flatMap((file) => arrowsOf(file, readFileSync(join(project, file), 'utf8')))
    .filter(({ to }) => to.startsWith(`${folder}/`));
}

/** @returns the number of the floor, from the top; -1 for a file that belongs to none */
export function floorOf(file: string): number {
  const floors = file.startsWith('widget/') ? FLOORS.widget : FLOORS.server;
  return floors.findIndex((floor) =>
    floor.some((place) => (place.endsWith('/') ? file.startsWith(place) : file === place)),
  );
}

/** The arrows that break the order, each with its file and line. */
export function upwardArrows(arrows: Arrow[]): string[] {
  return arrows
    .filter(({ from, to, dynamic, typeOnly }) => !((dynamic || typeOnly) && UPWARD.has(`${from} imports ${to}`)))
    .filter(({ from, to }) => floorOf(to) < floorOf(from))
    .map(describeArrow);
}

/**
 * The folder that a file is in, as the part of its area that circles are looked for in: `server/http` with all that is
 * in it. A file at the root is a part of its own.
 */
export function partOf(file: string): string {
  const root = file.startsWith('demo/simulator/') ? 3 : 2;
  return file.split('/').slice(0, root).join('/');
}

/**
 * The circles that can be walked along the arrows, types included: each as its imports with file and line. One circle
 * for each group of files (or of parts, with `partOf`) that all reach one another: removing one of its imports shows
 * whether there are more.
 */
export function circles(arrows: Arrow[], nodeOf: (file: string) => string = (file) => file): string[] {
  const next = new Map<string, Map<string, Arrow>>();
  for (const arrow of arrows) {
    const [from, to] = [nodeOf(arrow.from), nodeOf(arrow.to)];
    if (from === to) continue;
    const ways = next.get(from) ?? new Map<string, Arrow>();
    if (!ways.has(to)) ways.set(to, arrow);
    next.set(from, ways);
  }
  const seen = new Set<string>();
  return [...next.keys()].sort().flatMap((start) => {
    const circle = seen.has(start) ? undefined : shortestCircle(next, start);
    for (const { from } of circle ?? []) seen.add(nodeOf(from));
    return circle ? [circle.map(describeArrow).join('; ')] : [];
  });
}

/** Breadth first, so that the report names as few imports as there can be. */
function shortestCircle(next: Map<string, Map<string, Arrow>>, start: string): Arrow[] | undefined {
  const queue: { node: string; way: Arrow[] }[] = [{ node: start, way: [] }];
  const reached = new Set<string>();
  for (let entry = queue.shift(); entry; entry = queue.shift()) {
    for (const [node, arrow] of next.get(entry.node) ?? []) {
      const way = [...entry.way, arrow];
      if (node === start) return way;
      if (!reached.has(node)) queue.push({ node, way });
      reached.add(node);
    }
  }
  return undefined;
}

function describeArrow({ from, line, to }: Arrow): string {
  return `${from}:${line} imports ${to}`;
}
