import { from } from './project.ts';

/** What the bundler offers about the modules of one build. */
interface ModuleGraph {
  getModuleInfo(id: string): { importers: string[] } | null;
}

const entryFile = from('widget/embed.ts');

/** Whether the script loads a module at once. */
function isFirst(id: string, graph: ModuleGraph, seen = new Set<string>()): boolean {
  if (seen.has(id)) return false;
  seen.add(id);
  const importers = graph.getModuleInfo(id)?.importers ?? [];
  return importers.some((importer) => importer === entryFile || isFirst(importer, graph, seen));
}

/**
 * One chunk for everything that the script loads at once: the bundler would otherwise split off what the lazy chunk
 * shares with it.
 */
export const firstChunk = {
  name: (id: string, graph: ModuleGraph): string | null => (isFirst(id, graph) ? 'element' : null),
  debugName: 'element',
};
