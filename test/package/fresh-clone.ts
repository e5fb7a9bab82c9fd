import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { project } from './imports.ts';

/** Makes a clone of the project as it is now, with its dependencies. @returns its folder, in the one that is given */
export async function freshClone(folder: string): Promise<string> {
  const clone = await mkdtemp(join(folder, 'clone-'));
  const { stdout } = await promisify(execFile)(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      cwd: project,
    },
  );
  for (const file of stdout.split('\0').filter((name) => name && existsSync(join(project, name)))) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(join(project, file), join(clone, file));
  }
  symlinkSync(join(project, 'node_modules'), join(clone, 'node_modules'), 'junction');
  buildFromHere(clone);
  return clone;
}

/**
 * Has the clone take the build from here in place of building: continuous integration tests a fresh clone, so that the
 * build itself has already been made in one.
 */
function buildFromHere(clone: string): void {
  const file = join(clone, 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  const copy = `fs.cpSync(${JSON.stringify(join(project, 'dist'))}, 'dist', { recursive: true })`;
  writeFileSync(join(clone, 'build.cjs'), `const fs = require('node:fs');\n${copy};\n`);
  manifest.scripts.build = 'node build.cjs';
  writeFileSync(file, JSON.stringify(manifest));
}
