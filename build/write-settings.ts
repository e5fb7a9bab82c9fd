import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printedSettings } from './printed-settings.ts';

/** `npm run settings`: prints the table of settings into the files that show it. */
const project = join(import.meta.dirname, '..');
for (const { file, print } of printedSettings) {
  const path = join(project, file);
  writeFileSync(path, print(readFileSync(path, 'utf8')));
}
