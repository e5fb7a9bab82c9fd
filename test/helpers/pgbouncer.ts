import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { ordinaryUser } from './postgres.ts';

export interface TestPooler {
  /** The same database, through the pooler. */
  url: string;
  stop(): Promise<void>;
}

/** Why startPooler would fail; undefined if it would not. */
export function poolerMissing(): string | undefined {
  return findPooler() ? undefined : 'no pgbouncer: install it (apt-get install pgbouncer)';
}

/** A PgBouncer with its defaults in front of a database, on loopback. @param more further lines of its configuration */
export async function startPooler(
  databaseUrl: string,
  mode: 'session' | 'transaction',
  more: string[] = [],
): Promise<TestPooler> {
  const program = findPooler();
  if (!program) throw new Error(poolerMissing());
  const { hostname, port, username, password, pathname } = new URL(databaseUrl);
  const user = await ordinaryUser();
  const dir = await mkdtemp(join(tmpdir(), 'fbc-pgbouncer-'));
  const own = await freePort();
  const settings = [
    '[databases]',
    `* = host=${hostname} port=${port}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${own}`,
    'unix_socket_dir =',
    'auth_type = scram-sha-256',
    `auth_file = ${join(dir, 'users')}`,
    `pool_mode = ${mode}`,
    `logfile = ${join(dir, 'log')}`,
    ...more,
  ];
  await writeFile(join(dir, 'settings'), `${settings.join('\n')}\n`, { mode: 0o644 });
  await writeFile(join(dir, 'users'), `"${username}" "${decodeURIComponent(password)}"\n`, { mode: 0o644 });
  if (user) await chown(dir, user.uid, user.gid);
  const child = spawn(program, ['-q', join(dir, 'settings')], { ...user, cwd: dir, stdio: 'ignore' });
  const url = `postgres://${username}:${password}@127.0.0.1:${own}${pathname}`;
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    await rm(dir, { recursive: true, force: true });
  };
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.query('select 1');
      return { url, stop };
    } catch (error) {
      if (child.exitCode !== null) {
        throw new Error(`pgbouncer did not start: ${await readFile(join(dir, 'log'), 'utf8').catch(() => error)}`);
      }
    } finally {
      await client.end().catch(() => {});
    }
  }
}

function findPooler(): string | undefined {
  return [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
    .map((folder) => join(folder, 'pgbouncer'))
    .find((file) => existsSync(file));
}
