import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const project = join(import.meta.dirname, '../..');

/**
 * Whether a test changes what belongs to its whole process for as long as that lives: it replaces a module, brings a
 * DOM, or registers an OpenTelemetry SDK.
 */
const CHANGES_ITS_PROCESS = /^\/\/ @vitest-environment|\bvi\.(mock|doMock)\(|\.setGlobal|work-counter/;

/** The test files below a folder, relative to the project. */
export function testsIn(folder: string): string[] {
  return readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`);
}

/** Those that can't share a process with others. */
export function testsOfOneProcess(folders: readonly string[]): string[] {
  return folders.flatMap(testsIn).filter((file) => CHANGES_ITS_PROCESS.test(readFileSync(join(project, file), 'utf8')));
}
