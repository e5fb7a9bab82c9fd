import { request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import { isLocalOrLoopbackHost } from '../hosts.ts';

/** HTTPS_PROXY and NO_PROXY: they hold for every call that leaves this machine, or for none. */
export interface ProxySettings {
  url: string;
  /** Hosts, with their subdomains, that are called directly; `*`: all. */
  except: string[];
}

/**
 * @param connectMs for the proxy's whole answer
 * @returns an agent that goes through the proxy; undefined when the host is called directly
 */
export function tunnelTo(
  url: URL,
  proxy: ProxySettings | undefined,
  connectMs = CONNECT_TIMEOUT_MS,
): Agent | undefined {
  if (!proxy || url.protocol !== 'https:' || isLocalOrLoopbackHost(url.hostname)) return undefined;
  return proxy.except.some((entry) => matches(url, entry)) ? undefined : new TunnelAgent(new URL(proxy.url), connectMs);
}

/** As curl reads NO_PROXY: a host with its subdomains, with or without a dot before it, with or without a port. */
function matches({ hostname, port }: URL, entry: string): boolean {
  if (entry === '*') return true;
  const [, host = '', only] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
  if (only !== undefined && only !== (port || '443')) return false;
  return hostname === host || hostname.endsWith(`.${host}`);
}

/** The proxy answers no, or not in HTTP. Nothing has reached the provider. */
class ProxyError extends Error {
  override readonly name = 'ProxyError';
  constructor(readonly code: string) {
    super(`The proxy refused the connection (${code}).`);
  }
}

type Connected = (error: Error | null, socket?: Duplex) => void;

/** TLS from here to the provider, through a CONNECT of the proxy, which sees a host name and nothing else. */
class TunnelAgent extends Agent {
  readonly #proxy: URL;
  readonly #connectMs: number;

  constructor(proxy: URL, connectMs: number) {
    // A kept connection that the proxy has ended would make a call look lost that was never sent.
    super({ keepAlive: false });
    this.#proxy = proxy;
    this.#connectMs = connectMs;
  }

  override createConnection(options: ConnectionOptions, connected: Connected): undefined {
    const { hostname, port, protocol, username, password } = this.#proxy;
    const target = `${options.host}:${options.port}`;
    const credentials = `${decoded(username)}:${decoded(password)}`;
    const send = protocol === 'https:' ? httpsRequest : httpRequest;
    const asking = send({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port || (protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: target,
      agent: false,
      headers: {
        Host: target,
        ...(username && { 'Proxy-Authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }),
      },
    });
    // Not the socket's own timeout, which does not run while it connects, and begins again with each byte.
    const timer = setTimeout(() => asking.destroy(new ProxyError('PROXY_TIMEOUT')), this.#connectMs);
    asking.once('error', (error) => connected(error));
    asking.once('close', () => clearTimeout(timer));
    asking.once('connect', ({ statusCode = 0 }, socket) => {
      clearTimeout(timer);
      // Any success opens the tunnel (RFC 9110, 9.3.6).
      if (statusCode >= 200 && statusCode < 300) return connected(null, tlsConnect({ ...options, socket }));
      socket.destroy();
      connected(new ProxyError(`PROXY_${statusCode}`));
    });
    asking.end();
    return undefined;
  }
}

/** A password with a lone % was not percent-encoded: it is meant as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A proxy is in the same network: one that has not answered by then is down. */
const CONNECT_TIMEOUT_MS = 10_000;
