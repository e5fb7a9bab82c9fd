import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeFailure, listenFailure } from '../../server/commands/command.ts';
import { runCommand } from '../helpers/command.ts';
import { testEnvironment } from '../helpers/server.ts';

/** As Node throws them; a test that runs as root, or without a network, can't bring each about. */
const failure = (facts: object) => Object.assign(new Error('a stack'), facts);

it.each([
  [{ code: 'EADDRINUSE', syscall: 'listen', port: 3000 }, 'PORT 3000 is in use by another process.'],
  [
    { code: 'EACCES', syscall: 'listen', port: 80 },
    'PORT 80 needs a right that this process does not have (EACCES): take one above 1023, such as 3000.',
  ],
  [{ code: 'EADDRNOTAVAIL', syscall: 'listen', address: '10.9.9.9' }, 'HOST 10.9.9.9 is no address of this machine.'],
  [{ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'nosuch' }, 'HOST nosuch leads to no address (ENOTFOUND).'],
  [
    { code: 'EACCES', syscall: 'access', path: '/srv/data/finix-bank-connect.db' },
    '/srv/data/finix-bank-connect.db must be readable and writable for the user that this process runs as (EACCES).',
  ],
  [{ code: 'ENOTDIR', syscall: 'mkdir', path: '/srv/file/data' }, '/srv/file/data could not be used (mkdir: ENOTDIR).'],
])('a start that fails with %j ends with one sentence', (facts, message) => {
  expect(describeFailure(failure(facts))).toEqual({ message, exitCode: 1 });
});

it('a port that could not be opened is named by its own setting', () => {
  const taken = failure({ code: 'EADDRINUSE', syscall: 'listen', port: 9464 });
  expect(listenFailure(taken, 'METRICS_PORT')).toBe('METRICS_PORT 9464 is in use by another process.');
});

it('an unexpected failure keeps its stack', () => {
  expect(describeFailure(failure({})).message).toMatch(/^Error: a stack\n +at /);
});

it.each(['rotate-keys', 'withdraw-keys --yes', 'reconcile', 'trigger login_broken', 'show con_1'])(
  '%s makes no database where there is none, and does not report that old keys can go',
  async (command) => {
    const folder = await mkdtemp(join(tmpdir(), 'fbc-no-database-'));
    const env = { ...testEnvironment(), DATA_DIR: join(folder, 'data') };
    const { code, out, err } = await runCommand(command.split(' '), env);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('There is no database yet; look at DATABASE_URL and DATA_DIR.');
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  },
);
