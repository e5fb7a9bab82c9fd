import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { parseSync } from 'vite';

export const project = join(import.meta.dirname, '..', '..');

export interface Import {
  /** The text between the quotes; undefined when it is computed, so that no check can follow it. */
  specifier: string | undefined;
  /** Erased by the compiler: brings no code along. */
  typeOnly: boolean;
  /** Loaded when the code gets there, not at once. */
  dynamic: boolean;
  /** Where it is in the file, from 1. */
  line: number;
}

/** Paths of all files in `folder` with that ending, relative to the project, with forward slashes. */
export function filesIn(folder: string, ending: string): string[] {
  return readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending) && !/(^|[\\/])node_modules[\\/]/.test(file))
    .map((file) => posix.join(folder, file.replaceAll('\\', '/')))
    .sort();
}

/**
 * Every import of a file: declarations, `export … from`, dynamic ones and those inside types. From the syntax tree: a
 * regular expression would trip over strings and comments.
 */
export function importsOf(file: string, code: string): Import[] {
  const { program, errors } = parseSync(file, code);
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors[0]?.message}`);
  const found: FoundImport[] = [];
  visit(program, found);
  return found.map(({ start, ...rest }) => ({ ...rest, line: code.slice(0, start).split('\n').length }));
}

type FoundImport = Omit<Import, 'line'> & { start: number };

interface Node {
  type: string;
  start: number;
  source?: unknown;
  expression?: unknown;
  callee?: Node & { name?: string; callee?: { name?: string } };
  arguments?: unknown[];
  importKind?: string;
  exportKind?: string;
}

function visit(value: unknown, found: FoundImport[]): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, found);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if ('type' in value && typeof value.type === 'string') {
    const node = value as Node;
    const { start } = node;
    if (node.type === 'TSImportType')
      found.push({ specifier: text(node.source), typeOnly: true, dynamic: false, start });
    else if (node.type === 'TSExternalModuleReference')
      found.push({ specifier: text(node.expression), typeOnly: false, dynamic: false, start });
    else if (isRequire(node))
      found.push({ specifier: text(node.arguments?.[0]), typeOnly: false, dynamic: true, start });
    else if (/^(Import|ExportNamed|ExportAll)(Declaration|Expression)$/.test(node.type) && node.source) {
      found.push({
        specifier: text(node.source),
        typeOnly: isTypeOnly(node),
        dynamic: node.type === 'ImportExpression',
        start,
      });
    }
  }
  for (const child of Object.values(value)) visit(child, found);
}

/** `require(…)` and `createRequire(…)(…)`: what `import` can't be used for, an import all the same. */
function isRequire({ type, callee }: Node): boolean {
  return type === 'CallExpression' && (callee?.name === 'require' || callee?.callee?.name === 'createRequire');
}

// A single `type` inside the braces doesn't count: the module is still loaded, because modules are kept verbatim.
function isTypeOnly(node: Node): boolean {
  return node.importKind === 'type' || node.exportKind === 'type';
}

function text(source: unknown): string | undefined {
  if (typeof source !== 'object' || source === null) return undefined;
  const { type, value, quasis } = source as {
    type?: unknown;
    value?: unknown;
    quasis?: { value: { cooked: string } }[];
  };
  if (type === 'Literal' && typeof value === 'string') return value;
  if (type !== 'TemplateLiteral') return undefined;
  const [first, more] = quasis?.map(({ value }) => value.cooked) ?? [];
  // Minifiers write every string in backticks. What is computed behind a question mark leads to the same file.
  return more === undefined ? first : /^(.+)\?/.exec(first ?? '')?.[1];
}

interface PackageFile {
  version: string;
  dependencies: Record<string, string>;
  exports: Record<string, string | Record<string, string>>;
  scripts: Record<string, string>;
  engines: { node: string };
  overrides: Record<string, string>;
  /** Why each override is there. */
  '//overrides': Record<string, string>;
  devDependencies: Record<string, string>;
  /** The second package that is made from this file. */
  serverPackage: {
    name: string;
    dependencies: string[];
    /** Used where it is installed; imported late. */
    peerDependencies: Record<string, string>;
    bin: Record<string, string>;
    exports: Record<string, string | Record<string, string>>;
  };
}

export const packageFile = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as PackageFile;

const browserOnly = new Set(['lit', '@lit/react', 'react', 'react-dom']);

const frameworks = new Set(['react', 'preact', 'solid-js', 'vue', 'svelte']);

/** The name of the package in `lit/decorators.js` or `@hono/node-server/conninfo`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** They import a chunk, whose name is known only after the build, where the bundle's own test follows it. */
const CHUNK_LOADERS = ['widget/element/load-lazy.ts', 'widget/lazy/load-detour.ts'];

/**
 * Why `file` may not have this import, or undefined when it may. One way only: widget → lit; server → types of the wire
 * contract and its packages; simulator → itself; demo → widget, server, simulator.
 */
export function crossing(
  file: string,
  { specifier, typeOnly, dynamic }: Pick<Import, 'specifier' | 'typeOnly'> & { dynamic?: boolean },
): string | undefined {
  if (specifier === undefined && CHUNK_LOADERS.includes(file)) return undefined;
  if (specifier === undefined) return 'imports a computed name, which no check can follow';
  const area = file.startsWith('demo/simulator/') ? 'simulator' : file.split('/')[0];
  if (file.startsWith('widget/jsx/') && !typeOnly) return 'of these files nothing may be left when a program runs';
  if (!specifier.startsWith('.')) return forbiddenPackage(area, file, specifier, dynamic);
  const target = posix.join(dirname(file), specifier.replace(/\?.*$/, ''));
  const stays = (...folders: string[]) => folders.some((folder) => target.startsWith(folder));
  if (area === 'widget' && !stays('widget/')) return `the widget may not import ${target}`;
  // The simulator checks the server: code that both share would be wrong in both, and no test would see it.
  if (area === 'simulator' && !stays('demo/simulator/')) return `the simulator may not import ${target}`;
  if (area === 'server' && target === 'widget/contract.ts')
    return typeOnly ? undefined : 'the server needs only types of the contract';
  if (area === 'server' && !stays('server/')) return `the server may not import ${target}`;
  if (area === 'demo' && !stays('demo/', 'widget/', 'server/')) return `the demo may not import ${target}`;
  return undefined;
}

function forbiddenPackage(
  area: string | undefined,
  file: string,
  specifier: string,
  dynamic = false,
): string | undefined {
  const name = packageOf(specifier);
  if (file.startsWith('widget/jsx/')) {
    // A page that imports these has the framework.
    return frameworks.has(name) ? undefined : `the widget may not import ${specifier}`;
  }
  if (area === 'widget') {
    const allowed = file === 'widget/react.ts' ? ['lit', '@lit/react', 'react'] : ['lit'];
    return allowed.includes(name) ? undefined : `the widget may not import ${specifier}`;
  }
  if (isBuiltin(specifier)) return specifier.startsWith('node:') ? undefined : `write node:${specifier}`;
  // The demo's pages are bundled; their folders hold nothing that runs in Node.
  if (browserOnly.has(name) && /^demo\/(panel|playground|shop|story)\//.test(file)) return undefined;
  if (browserOnly.has(name)) return `${area} runs in Node and may not import ${specifier}`;
  // All of this is published: a package that is only there for development would be missing at the merchant's.
  const { dependencies, peerDependencies } = packageFile.serverPackage;
  const isOptional = dynamic && area === 'server' && name in peerDependencies;
  return dependencies.includes(name) || isOptional
    ? undefined
    : `${specifier} is not among the dependencies of the server's package`;
}
