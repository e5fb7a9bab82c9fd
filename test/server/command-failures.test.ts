import { expect, it } from 'vitest';
import { describeFailure, listenFailure } from '../../server/commands/command.ts';

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
