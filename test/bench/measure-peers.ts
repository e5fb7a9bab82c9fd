import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'vite';
import { type ClickFigures, measurePeerClick } from './measure-click.ts';
import { type Peer, peers } from './peers.ts';

export interface PeerMeasurement {
  name: string;
  /** As `name@version`. */
  packages: string[];
  /**
   * Scripts and styles before the button shows, after brotli. What is loaded from a provider's own address is in
   * no measurement.
   */
  first_bytes: number;
  /** Null where `no_click` has the reason. */
  click: ClickFigures | null;
  no_click: string | null;
}

export type PeersFigures = { measured: true; peers: PeerMeasurement[] } | { measured: false; reason: string };

// Some 160 MB are unpacked, mostly source maps; on a slow line the registry may take as long.
const INSTALL_TIMEOUT_MS = 180_000;

/**
 * Installs the others into a temporary folder, since they are no dependency of ours, and bundles each as our own script
 * is.
 */
export async function measurePeers(): Promise<PeersFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'finix-bank-connect-peers-'));
  try {
    const reason = await install(folder);
    if (reason) return { measured: false, reason };
    const measured: PeerMeasurement[] = [];
    for (const [index, peer] of peers.entries()) measured.push(await measure(folder, index, peer));
    return { measured: true, peers: measured };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Null, or why the registry could not be used. */
async function install(folder: string): Promise<string | null> {
  const dependencies = Object.assign({}, ...peers.map(({ packages }) => packages)) as Record<string, string>;
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }));
  // One more attempt is enough to separate a hiccup from no network. No scripts: it is only to be weighed.
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--fetch-retries=1'];
  try {
    const timeout = INSTALL_TIMEOUT_MS;
    // A shell, because npm is a script of its own on Windows. Nothing in the line comes from outside.
    await promisify(execFile)('npm', ['install', ...options], { cwd: folder, timeout, shell: true });
    return null;
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    const line = /^npm error (?:code )?.*$/m.exec(stderr)?.[0] ?? message.split('\n')[0] ?? '';
    return `they could not be installed (${line.trim()})`;
  }
}

async function measure(folder: string, index: number, peer: Peer): Promise<PeerMeasurement> {
  const input = join(folder, `entry-${index}.js`);
  await writeFile(input, peer.entry);
  const result = await build({
    configFile: false,
    root: folder,
    logLevel: 'silent',
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { write: false, target: 'es2022', modulePreload: false, rolldownOptions: { input } },
  });
  if (!('output' in result)) throw new Error(`Nothing was built for ${peer.name}.`);
  const files = new Map(result.output.map((file) => [file.fileName, file]));
  const first = new Set<string>();
  const follow = (name: string) => {
    const file = files.get(name);
    if (file?.type !== 'chunk' || first.has(name)) return;
    first.add(name);
    file.imports.forEach(follow);
  };
  for (const file of files.values()) if (file.type === 'chunk' && file.isEntry) follow(file.fileName);
  const scripts = [...first].map((name) => (files.get(name) as { code: string }).code);
  const styles = [...files.values()].flatMap((file) =>
    file.type === 'asset' && file.fileName.endsWith('.css') ? [file.source] : [],
  );
  const bytes = [...scripts, ...styles].reduce<number>((sum, code) => sum + brotliCompressSync(code).length, 0);
  const [script] = scripts;
  return {
    name: peer.name,
    packages: Object.entries(peer.packages).map(([name, version]) => `${name}@${version}`),
    first_bytes: bytes,
    click: peer.noClick || script === undefined ? null : await measurePeerClick(script),
    no_click: peer.noClick,
  };
}
