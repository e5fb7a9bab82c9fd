import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Tap } from '../../server/clients/outbound.ts';
import type { ProcessSettings, TappedCall } from './connect-process.ts';
import type { ConnectSettings } from './open-connect-server.ts';
import { isRecorded, parties } from './parties.ts';
import type { Recorder } from './recorder.ts';

/** The connect server's process, behind an address that stays the same when the process does not. */
export interface ConnectServer {
  readonly pid: number | undefined;
  /** SIGKILL, as when a machine dies: no handler runs, nothing is written, open connections break. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** How long the process may take to its next recovery point; a call to the simulator ends within 4 s. */
const GRACE_MS = 10_000;

/** @param tap is given each call of the process to Plaid and Finix */
export function connectServer(entry: string, given: ConnectSettings, tap?: Tap): ConnectServer & Forward {
  const settings: ProcessSettings = { ...given, isTapped: tap !== undefined };
  let child: ChildProcess | undefined;
  let port: number | undefined;
  return {
    get pid() {
      return child?.pid;
    },
    get port() {
      return port;
    },
    async start() {
      // Config has keys as bytes, which JSON would not carry.
      const started = fork(entry, {
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        execArgv: [],
        // A proxy could not reach the simulator, and would be shown its credentials.
        env: settings.isLocal ? withoutProxy(process.env) : process.env,
      });
      child = started;
      started.send(settings);
      const answers = new Map<number, ReturnType<Tap>>();
      port = await new Promise<number>((resolve, reject) => {
        started.once('exit', () => reject(new Error('The connect server ended before it listened.')));
        started.on('message', (message: { port: number } | TappedCall) => {
          if ('port' in message) resolve(message.port);
          else if (message.tapped === 'request' && tap) answers.set(message.id, tap(message));
          else if (message.tapped === 'answer') {
            answers.get(message.id)?.(message);
            answers.delete(message.id);
          }
        });
      });
    },
    async kill() {
      const killed = child;
      port = undefined;
      if (!killed || killed.exitCode !== null) return;
      const gone = once(killed, 'exit');
      killed.kill('SIGKILL');
      await gone;
    },
    async stop() {
      const stopped = child;
      child = undefined;
      port = undefined;
      if (!stopped || stopped.exitCode !== null || stopped.signalCode !== null) return;
      const gone = once(stopped, 'exit');
      if (stopped.connected) stopped.send('stop');
      const timer = setTimeout(() => stopped.kill('SIGKILL'), GRACE_MS);
      await gone;
      clearTimeout(timer);
    },
  };
}

function withoutProxy(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(https?|all)_proxy$/i.test(name)));
}

export interface Forward {
  readonly port: number | undefined;
}

/**
 * Passes requests on byte by byte, and writes down what passes. As behind a load balancer, what comes while no process
 * listens waits for one; what was on its way to a process that dies gets no answer.
 * @param replaced an address on the server's own pages that browsers elsewhere reach under another one
 */
export function forwardTo(
  target: Forward,
  recorder: Recorder,
  merchantKey: string,
  replaced?: readonly [address: string, by: string],
) {
  async function forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await readAll(incoming);
    const { method = 'GET', url = '/', headers } = incoming;
    const record = isRecorded(method, url)
      ? recorder.sent({ ...parties(url, headers, merchantKey), method, path: url, headers, body: body.toString() })
      : undefined;
    try {
      const port = await untilListening(target);
      const options = { host: '127.0.0.1', port, method, path: url, headers };
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        httpRequest(options, resolve).on('error', reject).end(body);
      });
      const content = await readAll(answer);
      const status = answer.statusCode ?? 502;
      record?.ended({ status, headers: answer.headers, body: content.toString() });
      if (replaced && answer.headers['content-type']?.startsWith('text/html')) {
        const text = content.toString().replaceAll(...replaced);
        const policy = String(answer.headers['content-security-policy'] ?? '').replaceAll(...replaced);
        const changed = { 'content-security-policy': policy, 'content-length': String(Buffer.byteLength(text)) };
        outgoing.writeHead(status, { ...answer.headers, ...changed });
        outgoing.end(text);
        return;
      }
      outgoing.writeHead(status, answer.headers);
      outgoing.end(content);
    } catch {
      record?.ended({ status: null, headers: {}, body: '' });
      incoming.socket.destroy();
    }
  }
  return (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    // A request that breaks off while it is read has no one to answer to.
    forward(incoming, outgoing).catch(() => incoming.socket.destroy());
  };
}

/** Longer than a process takes to start on a busy machine. */
const MOST_WAIT_MS = 15_000;
const LOOK_MS = 50;

async function untilListening(target: Forward): Promise<number> {
  for (let waited = 0; target.port === undefined && waited < MOST_WAIT_MS; waited += LOOK_MS) {
    await sleep(LOOK_MS, undefined, { ref: false });
  }
  if (target.port === undefined) throw new Error('No process listens.');
  return target.port;
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
