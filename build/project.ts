import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const project = resolve(import.meta.dirname, '..');

/** An absolute path from one relative to the project. */
export const from = (path: string): string => resolve(project, path);

export const { name, version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
  name: string;
  version: string;
};
