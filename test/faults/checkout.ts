import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../helpers/bundle.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * The version before every create call in doubt was accounted for, before a stop went ahead of work that waits, and
 * before migrations took their locks with care. Upgrades start from it, and the suite must detect it wherever a case
 * names it as a control.
 */
const EARLIER = '16edebc4e2896bf7540851424cd9c225e246b6c5';
/** Three migrations before that: what EARLIER itself is upgraded from, so that the suite can detect how it migrates. */
const BEFORE_EARLIER = 'df4f813';

/** Everything that a server process of the suite is bundled from. */
const SOURCES = ['server', 'widget', 'demo', 'test', 'package.json'];

export type Found = { checkout: string } | { skipped: string };

const bundles = new Map<string, Promise<string>>();

/** The server process of a checkout, bundled once: a suite of dying processes mostly starts them. */
export function instanceFile(checkout = PROJECT): Promise<string> {
  const known = bundles.get(checkout);
  if (known) return known;
  const bundled = bundle('test/faults/instance.ts', checkout);
  bundles.set(checkout, bundled);
  return bundled;
}

const found = new Map<string, Found>();
let given: Found | undefined;

/** The version that the cases must detect. */
export function earlierVersion(): Found {
  return find(EARLIER);
}

/** The version that a server is upgraded from. @param server a checkout; this one when left out */
export function versionBefore(server: string | undefined): Found {
  const earlier = found.get(EARLIER);
  const isEarlier = earlier !== undefined && 'checkout' in earlier && earlier.checkout === server;
  return given ?? find(isEarlier ? BEFORE_EARLIER : EARLIER);
}

/** @param version a folder or a commit that upgrades start from instead */
export function upgradeFrom(version: string): void {
  given = existsSync(version) ? { checkout: resolve(version) } : find(version);
}

/** A checkout of a commit from the repository's history; made once, removed with this process. */
export function find(commit: string): Found {
  const known = found.get(commit);
  if (known) return known;
  const answer = isInHistory(commit)
    ? { checkout: checkOut(commit) }
    : { skipped: `the repository has no commit ${commit.slice(0, 7)}; a clone with its whole history does` };
  found.set(commit, answer);
  return answer;
}

function isInHistory(commit: string): boolean {
  return spawnSync('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: PROJECT, stdio: 'ignore' }).status === 0;
}

function checkOut(commit: string): string {
  const folder = mkdtempSync(join(tmpdir(), `fbc-${commit.slice(0, 7)}-`));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const archive = execFileSync('git', ['archive', '--format=tar', commit, ...SOURCES], {
    cwd: PROJECT,
    maxBuffer: 256 * 2 ** 20,
  });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  // Its dependencies are this checkout's: the same packages, in the same or newer versions.
  symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}
