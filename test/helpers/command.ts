import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runProgram } from '../../server/commands/program.ts';
import { MERCHANT_KEY, type TestServer } from './server.ts';

export interface CommandResult {
  code: number;
  /** What a pipe would read. */
  out: string;
  /** What a person would read in addition. */
  err: string;
}

/** Runs a command of the server in this process. @param untilStopped ends commands that run until they are stopped */
export async function runCommand(
  args: string[],
  env: Record<string, string | undefined> = {},
  untilStopped: Promise<void> = Promise.resolve(),
  onWrite: (text: string) => void = () => {},
): Promise<CommandResult> {
  const result = { out: '', err: '' };
  const code = await runProgram(args, {
    env,
    write(text) {
      result.out += text;
      onWrite(text);
    },
    note(text) {
      result.err += text;
      onWrite(text);
    },
    untilStopped: () => untilStopped,
    exitCode: 0,
  });
  return { code, ...result };
}

/** A test server on a port of its own, for commands that call the running server. */
export interface Served {
  url: string;
  /** The settings that a command needs to call it. */
  env: Record<string, string>;
  close(): Promise<void>;
}

export async function serveOnPort(server: TestServer, port = 0): Promise<Served> {
  // Requests as the test runner's own, which Hono's adapter does not make.
  const listener = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = 'GET', url = '/', headers } = incoming;
    const body = chunks.length > 0 ? Buffer.concat(chunks).toString() : undefined;
    const given = { method, headers: headers as Record<string, string> };
    const answer = await server.request(url, body === undefined ? given : { ...given, body });
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
    outgoing.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  return {
    url,
    env: { PUBLIC_URL: url, MERCHANT_API_KEY: MERCHANT_KEY },
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        listener.closeAllConnections();
      }),
  };
}
