import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { type ProxySettings, tunnelTo } from './proxy.ts';

/**
 * Requests to one provider, through its proxy where it has one. Not `fetch` and not axios: a bank takes seven calls,
 * which were half of the processor time of a session with them (docs/load.md).
 * No redirect is followed: it would carry credentials and tokens to another host.
 */
export interface HttpClient {
  /** @throws NoAnswer when there is no whole answer; a status of an error is an answer */
  send(request: HttpRequest): Promise<HttpAnswer>;
}

export interface HttpRequest {
  method: string;
  /** From the base address on, with its query. */
  path: string;
  headers: Record<string, string>;
  body?: string | undefined;
  /** Milliseconds for the whole answer: one that trickles ends as well. */
  timeoutMs: number;
}

export interface HttpAnswer {
  status: number;
  isOk: boolean;
  /** By their names in lower case. */
  headers: IncomingMessage['headers'];
  text: string;
}

/** There is no whole answer. Made without a cause and without anything of the request, so that it can be logged. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';

  constructor(
    /** Of Node (`ECONNREFUSED`, …) or of the proxy (`PROXY_407`, …), or `TIMEOUT`, `TOO_LONG`, `NO_ANSWER`. */
    readonly code: string,
    /** False: no connection was made, so nothing can have been done. */
    readonly wasSent: boolean,
  ) {
    super(`no answer (${code})`);
  }
}

/** @param baseUrl without a slash at its end */
export function createHttpClient(baseUrl: string, proxy: ProxySettings | undefined): HttpClient {
  const base = new URL(baseUrl);
  const isSecure = base.protocol === 'https:';
  const open = isSecure ? httpsRequest : httpRequest;
  const connected = isSecure ? 'secureConnect' : 'connect';
  const kept = { keepAlive: true, timeout: IDLE_MS };
  const target: RequestOptions = {
    host: base.hostname.replace(/^\[|\]$/g, ''),
    port: base.port || (isSecure ? 443 : 80),
    agent: tunnelTo(base, proxy) ?? (isSecure ? new HttpsAgent(kept) : new HttpAgent(kept)),
  };
  const basePath = base.pathname.replace(/\/$/, '');

  return {
    send: ({ method, path, headers, body, timeoutMs }) =>
      new Promise((resolve, reject) => {
        const request = open({ ...target, method, path: basePath + path, headers: { ...COMMON_HEADERS, ...headers } });
        let wasSent = false;
        let connecting: NodeJS.Timeout | undefined;
        const deadline = setTimeout(() => fail('TIMEOUT'), timeoutMs);
        const stopTimers = () => {
          clearTimeout(deadline);
          clearTimeout(connecting);
        };
        function fail(code: string) {
          stopTimers();
          reject(new NoAnswer(code, wasSent));
          request.destroy();
        }
        const failed = (error: { code?: string }) => fail(error.code ?? 'NO_ANSWER');
        // What the connection comes to after a whole answer is of no interest.
        let isWhole = false;
        const cutOff = (error: { code?: string }) => {
          if (!isWhole) failed(error);
        };
        request.on('error', cutOff);
        // Not asked for, and without a listener Node ends the connection without a word.
        request.once('upgrade', (_, socket: Socket) => {
          socket.destroy();
          fail('PROTOCOL_CHANGED');
        });
        request.once('socket', (socket: Socket) => {
          if (request.reusedSocket) {
            wasSent = true;
            return;
          }
          connecting = setTimeout(() => fail('CONNECT_TIMEOUT'), CONNECT_MS);
          socket.once(connected, () => {
            wasSent = true;
            clearTimeout(connecting);
          });
        });
        request.once('response', (response) => {
          const parts: Buffer[] = [];
          let bytes = 0;
          response.on('error', cutOff);
          response.on('data', (part: Buffer) => {
            parts.push(part);
            bytes += part.length;
            if (bytes > MAX_BYTES) fail('TOO_LONG');
          });
          response.once('end', () => {
            isWhole = true;
            const { statusCode: status = 0, headers } = response;
            unpacked(Buffer.concat(parts), headers['content-encoding']).then((text) => {
              stopTimers();
              resolve({ status, isOk: status >= 200 && status < 300, headers, text });
            }, failed);
          });
        });
        request.end(body);
      }),
  };
}

/** A gateway may pack an answer although that was not asked for. */
async function unpacked(bytes: Buffer, encoding: string | undefined): Promise<string> {
  // An answer without a body, such as one to HEAD, may name the packing of the body that it would have.
  const unpack = bytes.length === 0 ? undefined : UNPACK[encoding?.trim().toLowerCase() ?? ''];
  return (unpack ? await unpack(bytes, { maxOutputLength: MAX_BYTES }) : bytes).toString('utf8');
}

const UNPACK: Partial<Record<string, (bytes: Buffer, limit: { maxOutputLength: number }) => Promise<Buffer>>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/** Answers are some hundred bytes: packing them costs more than it saves. */
const COMMON_HEADERS = {
  Accept: 'application/json',
  'Accept-Encoding': 'identity',
  'User-Agent': 'finix-bank-connect',
};

/** As long as `fetch` waits: by then a server is up in the next region or down. */
const CONNECT_MS = 10_000;

/**
 * A request on a kept connection that the provider is just closing is lost, and a lost create call takes minutes to
 * be sure of. Servers keep an idle connection for 5 s (Node) or longer.
 */
const IDLE_MS = 4_000;

/** A page of a hundred instruments, the longest answer, is under 200 kB. */
const MAX_BYTES = 16 * 1024 * 1024;
