/**
 * Keeps every test on this machine: a connection to anything but loopback fails at once, with the address in the
 * message. Without this a test that forgets the simulator passes where there is a network and hangs where there is
 * none.
 */
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { afterEach } from 'vitest';

/** Thrown into code that tried to leave; the name makes it findable through the wrappers of HTTP clients. */
export class NetworkForbiddenError extends Error {
  override readonly name = 'NetworkForbiddenError';
  readonly code = 'ENETUNREACH';
  constructor(target: string) {
    super(`A test tried to reach ${target}. Tests talk to loopback only: start the simulator and give its URL.`);
  }
}

const loopback = new net.BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
loopback.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

/** Whether `host` is this machine, by address or by a name that the standards reserve for it. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  const family = net.isIP(name);
  if (family) return loopback.check(name, family === 6 ? 'ipv6' : 'ipv4');
  return name === 'localhost' || name.endsWith('.localhost');
}

/**
 * The host of a `connect` call in any of its forms; undefined for a Unix socket or a Windows pipe, which never leave
 * the machine.
 */
function targetOf(args: readonly unknown[]): string | undefined {
  // Node's own callers hand over an already normalized [options, callback] array.
  const [first, second] = Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
  if (typeof first === 'object' && first !== null) {
    const { path, host } = first as { path?: unknown; host?: unknown };
    if (typeof path === 'string') return undefined;
    return typeof host === 'string' ? host : 'localhost';
  }
  if (typeof first === 'string' && Number.isNaN(Number(first))) return undefined;
  return typeof second === 'string' ? second : 'localhost';
}

const ATTEMPTS = Symbol.for('finix-bank-connect.no-network');
const shared = globalThis as { [ATTEMPTS]?: NetworkForbiddenError[] };
/** Test files of one process may share it; this file then runs for each of them, and guards once. */
const isGuarded = shared[ATTEMPTS] !== undefined;
shared[ATTEMPTS] ??= [];
const attempts = shared[ATTEMPTS];

function forbid(target: string): NetworkForbiddenError {
  const error = new NetworkForbiddenError(target);
  attempts.push(error);
  return error;
}

/** What was tried since the last call; for the test of this file, which must try on purpose. */
export function takeForbiddenAttempts(): NetworkForbiddenError[] {
  return attempts.splice(0);
}

// Code under test may well survive a refused connection; the test must fail all the same.
afterEach(() => {
  const [first] = takeForbiddenAttempts();
  if (first) throw first;
});

function guard(): void {
  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function guardedConnect(this: net.Socket, ...args: unknown[]) {
    const host = targetOf(args);
    if (host !== undefined && !isLoopback(host)) {
      // As an ordinary connection failure, so that the code under test takes its usual path and no exception escapes an
      // event handler.
      const error = forbid(host);
      queueMicrotask(() => this.destroy(error));
      return this;
    }
    return Reflect.apply(connect, this, args) as net.Socket;
  } as typeof connect;

  const lookup = dns.lookup;
  dns.lookup = function guardedLookup(this: unknown, hostname: string, ...rest: unknown[]) {
    if (isLoopback(hostname)) return Reflect.apply(lookup, this, [hostname, ...rest]);
    const callback = rest.at(-1);
    const error = forbid(hostname);
    if (typeof callback === 'function') queueMicrotask(() => callback(error));
    return undefined;
  } as typeof dns.lookup;

  const lookupPromise = dns.promises.lookup;
  dns.promises.lookup = async function guardedLookup(this: unknown, hostname: string, ...rest: unknown[]) {
    if (!isLoopback(hostname)) throw forbid(hostname);
    return Reflect.apply(lookupPromise, this, [hostname, ...rest]);
  } as typeof dns.promises.lookup;

  // `import { lookup } from 'node:dns'` sees the guard as well.
  syncBuiltinESMExports();
}
if (!isGuarded) guard();
