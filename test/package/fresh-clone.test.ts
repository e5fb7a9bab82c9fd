import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
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

/** Without the hashes in names, which depend on the location of `node_modules`. */
function namesIn(files: Map<string, Buffer>): string[] {
  return [...files.keys()].map((file) => file.replace(/-[\w-]{8}\.js$/, '.js')).sort();
}

describe('a fresh clone', () => {
  // The build takes 10 s on two idle cores, and here it shares them.
  it('a fresh clone makes whole packages by `npm run pack` and by `npm pack`', {
    timeout: patient(180_000),
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
    await run('npm', ['pack', '--offline'], { cwd: clone });
    const widget = await readTarball(tarballs.widget);
    const short = await readTarball(tarballsIn(clone).widget);
    expect(namesIn(short)).toEqual(namesIn(widget));
    const manifestOf = (files: Map<string, Buffer>) => JSON.parse(String(files.get('package.json')));
    for (const field of ['name', 'version', 'exports', 'dependencies', 'peerDependencies', 'files']) {
      expect(manifestOf(short)[field]).toEqual(manifestOf(widget)[field]);
    }

    // Without the build that npm would run first, as it just did.
    await run('npm', ['run', 'pack', '--ignore-scripts'], { cwd: clone });
    const packed = tarballsIn(join(clone, 'dist', 'packages'));
    for (const name of ['widget', 'server'] as const) {
      expect(namesIn(await readTarball(packed[name]))).toEqual(namesIn(await readTarball(tarballs[name])));
    }
  });
});
