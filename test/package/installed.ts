import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { patient } from '../helpers/patience.mjs';
import { project } from './imports.ts';

const run = promisify(execFile);
const modules = join(project, 'node_modules');

/** Both tarballs as `npm run pack` writes them, from the `dist` that was built. */
export async function packBoth(out: string): Promise<{ widget: string; server: string }> {
  const tsx = join(modules, 'tsx', 'dist', 'cli.mjs');
  await run(process.execPath, [tsx, join(project, 'build/pack.ts'), out], { cwd: project });
  return tarballsIn(out);
}

export function tarballsIn(folder: string): { widget: string; server: string } {
  const files = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  const find = (pattern: RegExp) => join(folder, files.find((file) => pattern.test(file)) ?? `no ${pattern}`);
  return { widget: find(/^finix-bank-connect-\d/), server: find(/^finix-bank-connect-server-\d/) };
}

/** Names and contents of the files of a package. */
export async function readTarball(tarball: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const entries = extract();
  entries.on('entry', (header, stream, next) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk) => chunks.push(chunk as Buffer));
    stream.on('end', () => {
      files.set(header.name.replace(/^package\//, ''), Buffer.concat(chunks));
      next();
    });
  });
  await pipeline(createReadStream(tarball), createGunzip(), entries);
  return files;
}

/** An empty project of a merchant's. */
export interface ShopProject {
  folder: string;
  /** Everything that npm would have installed: how many packages, how many bytes. */
  weight: { packages: string[]; bytes: number };
  /** Runs a program of the project, and returns its output, also when it fails. */
  node(args: string[], env?: Record<string, string>): Promise<{ code: number; output: string }>;
  write(file: string, content: string): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Installs packages into an empty project without a network: each tarball is unpacked, and of the clone's
 * `node_modules` the project is given the declared dependencies and theirs, nothing else. A dependency that was
 * forgotten is therefore missing there as it would be at a merchant's.
 * @param extra packages of the clone that the merchant has as well, such as React or TypeScript
 */
export async function install(tarballs: string[], extra: string[] = []): Promise<ShopProject> {
  const folder = await mkdtemp(join(tmpdir(), 'fbc-shop-'));
  const packages = new Set<string>();
  let bytes = 0;
  for (const tarball of tarballs) {
    const files = await readTarball(tarball);
    const { name, dependencies = {}, bin = {} } = JSON.parse(String(files.get('package.json'))) as Manifest;
    const home = join(folder, 'node_modules', name);
    for (const [file, content] of files) {
      const path = join(home, file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
      bytes += content.length;
    }
    packages.add(name);
    for (const dependency of Object.keys(dependencies)) bytes += link(dependency, modules, folder, packages);
    mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
    for (const [command, file] of Object.entries(bin)) {
      // As npm does.
      chmodSync(join(home, file), 0o755);
      symlinkSync(join(home, file), join(folder, 'node_modules', '.bin', command));
    }
  }
  const weight = { packages: [...packages], bytes };
  for (const name of extra) link(name, modules, folder, new Set(packages));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'shop', private: true, type: 'module' }));
  return {
    folder,
    weight,
    async node(args, env = {}) {
      const { PATH } = process.env;
      const options = { cwd: folder, env: { PATH, NO_COLOR: '1', ...env }, timeout: patient(60_000) };
      try {
        const { stdout, stderr } = await run(process.execPath, args, options);
        return { code: 0, output: stdout + stderr };
      } catch (error) {
        const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
        return { code, output: `${stdout}${stderr}` };
      }
    },
    async write(file, content) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), content);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  bin?: Record<string, string>;
}

/** Links a package and its dependencies into the project. @returns the bytes that npm would have written */
function link(name: string, near: string, folder: string, seen: Set<string>): number {
  if (seen.has(name)) return 0;
  seen.add(name);
  // npm puts a version that differs from the usual one next to the package that needs it.
  const nested = join(near, name);
  const source = existsSync(nested) ? nested : join(modules, name);
  const target = join(folder, 'node_modules', name);
  mkdirSync(dirname(target), { recursive: true });
  if (!existsSync(target)) {
    // A copy where it is small: tools that follow links would look for its dependencies in the clone.
    if (bytesIn(source) < 1_000_000)
      cpSync(source, target, { recursive: true, filter: (path) => !isNested(source, path) });
    else symlinkSync(source, target, 'junction');
  }
  const { dependencies = {} } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as Manifest;
  return Object.keys(dependencies).reduce(
    (sum, dependency) => sum + link(dependency, join(source, 'node_modules'), folder, seen),
    bytesIn(source),
  );
}

function isNested(source: string, path: string): boolean {
  return path.slice(source.length).includes('node_modules');
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => !file.startsWith('node_modules'))
    .reduce((sum, file) => {
      const stats = statSync(join(folder, file));
      return sum + (stats.isFile() ? stats.size : 0);
    }, 0);
}
