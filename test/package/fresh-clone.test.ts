import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { patient } from '../helpers/patience.mjs';
import { project } from './imports.ts';
import { packBoth, readTarball, tarballsIn } from './installed.ts';

const run = promisify(execFile);

let folder: string;
let tarballs: { widget: string; server: string };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fbc-clone-'));
  tarballs = await packBoth(folder);
  // Packing takes seconds, and on a busy machine many times as long.
}, patient(90_000));
afterAll(() => rm(folder, { recursive: true, force: true }));

const namesOf = (files: Map<string, Buffer>) => [...files.keys()].sort();

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

describe('a fresh clone', () => {
  it('a fresh clone makes whole packages by `npm run pack` and by `npm pack`', {
    timeout: patient(60_000),
  }, async () => {
    const clone = await mkdtemp(join(folder, 'clone-'));
    const { stdout } = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: project,
    });
    for (const file of stdout.split('\0').filter((name) => name && existsSync(join(project, name)))) {
      mkdirSync(dirname(join(clone, file)), { recursive: true });
      cpSync(join(project, file), join(clone, file));
    }
    symlinkSync(join(project, 'node_modules'), join(clone, 'node_modules'), 'junction');
    buildFromHere(clone);
    await run('npm', ['pack', '--offline'], { cwd: clone });
    const widget = await readTarball(tarballs.widget);
    const short = await readTarball(tarballsIn(clone).widget);
    expect(namesOf(short)).toEqual(namesOf(widget));
    const manifestOf = (files: Map<string, Buffer>) => JSON.parse(String(files.get('package.json')));
    for (const field of ['name', 'version', 'exports', 'dependencies', 'peerDependencies', 'files']) {
      expect(manifestOf(short)[field]).toEqual(manifestOf(widget)[field]);
    }

    // Without the build that npm would run first, as it just did.
    await run('npm', ['run', 'pack', '--ignore-scripts'], { cwd: clone });
    const packed = tarballsIn(join(clone, 'dist', 'packages'));
    for (const name of ['widget', 'server'] as const) {
      expect(namesOf(await readTarball(packed[name]))).toEqual(namesOf(await readTarball(tarballs[name])));
    }
  });
});
