import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './free-port.ts';

export interface TestPostgres {
  /** Of the administrator's database. */
  url: string;
  /** Makes an empty database, or a copy of another one that no one is connected to, and gives its URL. */
  createDatabase(template?: string): Promise<string>;
  dropDatabase(url: string): Promise<void>;
}

/** One that no other suite uses. */
export interface OwnPostgres extends TestPostgres {
  /** False for a server that is not ours: `restart` and `without` throw. */
  canRestart: boolean;
  /**
   * `immediate` is a crash: every connection is cut and the log is replayed. `fast` lets no transaction finish either,
   * but closes the connections.
   */
  restart(mode: 'immediate' | 'fast'): Promise<void>;
  /** Restarts it as a standby and promotes that: a copy of the cluster that goes on by itself. */
  promote(): Promise<void>;
  /** Lets `while` run with the server gone. */
  without(run: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

/** initdb takes 1 to 3 s, a start under 1 s; a loaded machine gets its time. */
const START_TIMEOUT_MS = 60_000;

/**
 * Why startPostgres would skip; undefined if it would not. Known before any test runs, so that a suite's name can
 * contain it.
 */
export function postgresMissing(): string | undefined {
  if (findBin() || process.env['TEST_DATABASE_URL']) return undefined;
  return 'no PostgreSQL: install its server (apt-get install postgresql), or set TEST_DATABASE_URL';
}

/**
 * Starts a PostgreSQL of our own on loopback, or uses the server of TEST_DATABASE_URL (which is not restarted), or
 * returns why neither works. It ends with the process that started it, however that one ends.
 */
export async function startPostgres(): Promise<OwnPostgres | { skipped: string }> {
  const skipped = postgresMissing();
  if (skipped) return { skipped };
  const bin = findBin();
  return bin ? startOwn(bin) : givenServer(process.env['TEST_DATABASE_URL'] ?? '');
}

const SHARED = Symbol.for('finix-bank-connect.shared-postgres');

/**
 * The one of this process, for all suites that leave its settings alone: to make and start one takes as much of a core
 * as a dozen of their tests. It ends with this process.
 */
export function sharedPostgres(): ReturnType<typeof startPostgres> {
  // A file may have its own copy of this module.
  const shared = globalThis as { [SHARED]?: ReturnType<typeof startPostgres> };
  shared[SHARED] ??= startPostgres();
  return shared[SHARED];
}

async function startOwn(bin: string): Promise<OwnPostgres> {
  const user = await ordinaryUser();
  const dir = await mkdtemp(join(tmpdir(), 'fbc-postgres-'));
  if (user) await chown(dir, user.uid, user.gid);
  const password = 'test-password';
  const passwordFile = join(dir, 'password');
  await writeFile(passwordFile, password, { mode: 0o644 });
  const data = join(dir, 'data');
  await run(
    join(bin, 'initdb'),
    [
      '-D',
      data,
      '-U',
      'test',
      '-A',
      'scram-sha-256',
      `--pwfile=${passwordFile}`,
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
    ],
    { ...user, cwd: dir },
  );
  const port = await freePort();
  const url = (database: string) => `postgres://test:${password}@127.0.0.1:${port}/${database}`;
  const administrator = new Administrator(url('postgres'));
  let server: ChildProcess | undefined;

  const start = async () => {
    // The shell waits for the end of its input, which comes with the end of this process, also when that is killed. A
    // server that has ended before is restarted, or its folder removed, by this process.
    const script =
      '"$0" "$@" >>log 2>&1 & echo $!; cat >/dev/null; kill -QUIT $! 2>/dev/null || exit 0; wait $!; rm -rf "$PWD"';
    const args = [
      '-D',
      data,
      '-p',
      String(port),
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      `unix_socket_directories=${dir}`,
    ];
    server = spawn('sh', ['-c', script, join(bin, 'postgres'), ...args], {
      ...user,
      cwd: dir,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const [pid] = (await once(server.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    await answering(administrator, Number(pid), join(dir, 'log'));
    return Number(pid);
  };
  const end = async (pid: number, signal: 'SIGQUIT' | 'SIGINT') => {
    const running = server;
    if (!running || running.exitCode !== null) return;
    await administrator.leave();
    process.kill(pid, signal);
    while (isAlive(pid)) await sleep(10);
    running.stdin?.end();
    await once(running, 'exit');
  };

  let pid = await start();
  return {
    canRestart: true,
    url: url('postgres'),
    createDatabase: async (template) => url(await createDatabase(administrator, template)),
    dropDatabase: (database) => dropDatabase(administrator, nameOf(database)),
    restart: async (mode) => {
      await end(pid, mode === 'immediate' ? 'SIGQUIT' : 'SIGINT');
      pid = await start();
    },
    promote: async () => {
      await end(pid, 'SIGINT');
      const signal = join(data, 'standby.signal');
      await writeFile(signal, '');
      if (user) await chown(signal, user.uid, user.gid);
      pid = await start();
      await administrator.run('select pg_promote()');
    },
    without: async (whileGone) => {
      await end(pid, 'SIGINT');
      try {
        await whileGone();
      } finally {
        pid = await start();
      }
    },
    stop: async () => {
      await end(pid, 'SIGQUIT');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function givenServer(url: string): OwnPostgres {
  const made = new Set<string>();
  const administrator = new Administrator(url);
  const refuse = async () => {
    throw new Error('The server of TEST_DATABASE_URL is not ours to restart.');
  };
  return {
    canRestart: false,
    url,
    createDatabase: async (template) => {
      const name = await createDatabase(administrator, template);
      made.add(name);
      const own = new URL(url);
      own.pathname = `/${name}`;
      return own.href;
    },
    dropDatabase: async (database) => {
      await dropDatabase(administrator, nameOf(database));
      made.delete(nameOf(database));
    },
    restart: refuse,
    promote: refuse,
    without: refuse,
    stop: async () => {
      for (const name of made) await dropDatabase(administrator, name);
      await administrator.leave();
    },
  };
}

async function createDatabase(administrator: Administrator, template?: string): Promise<string> {
  const name = `fbc_${process.pid}_${Math.random().toString(36).slice(2)}`;
  const like = template === undefined ? '' : ` template ${nameOf(template)}`;
  await administrator.run(`create database ${name}${like}`);
  return name;
}

/** By force, because a test that failed may have left connections, which would keep it. */
async function dropDatabase(administrator: Administrator, name: string): Promise<void> {
  await administrator.run(`drop database if exists ${name} with (force)`);
}

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

/** One connection for all statements, because a new one costs the server more than most of them. */
class Administrator {
  #client: Promise<pg.Client> | undefined;

  constructor(private readonly url: string) {}

  async run(statement: string): Promise<void> {
    this.#client ??= this.#connect();
    const client = await this.#client;
    await client.query(statement);
  }

  /** Until the next statement. */
  async leave(): Promise<void> {
    const leaving = this.#client;
    this.#client = undefined;
    await leaving?.then((client) => client.end()).catch(() => {});
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.url });
    const forget = () => {
      this.#client = undefined;
    };
    // A server that goes away takes the connection with it.
    client.on('error', forget);
    await client.connect().catch((error: unknown) => {
      forget();
      throw error;
    });
    return client;
  }
}

function findBin(): string | undefined {
  return binFolders().find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));
}

/** A program that comes with PostgreSQL, such as `pg_dump`; undefined: it is not installed. */
export function postgresProgram(name: string): string | undefined {
  return binFolders()
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}

function binFolders(): string[] {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  return [...(process.env['PATH'] ?? '').split(delimiter), ...versions.map((version) => join(root, version, 'bin'))];
}

/** PostgreSQL refuses to run as root, so root lends it another user. */
export async function ordinaryUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  return { uid: Number(user?.[2] ?? 65534), gid: Number(user?.[3] ?? 65534) };
}

async function run(
  command: string,
  args: string[],
  options: { cwd: string; uid?: number; gid?: number },
): Promise<void> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${complaints}`);
}

async function answering(administrator: Administrator, pid: number, log: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await administrator.run('select 1');
    } catch (error) {
      if (!isAlive(pid) || Date.now() > deadline) {
        throw new Error(
          `PostgreSQL did not start (${(error as Error).message}):\n${await readFile(log, 'utf8').catch(() => '')}`,
        );
      }
      await sleep(20);
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
