import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { InvalidArgumentError } from 'commander';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { isLocalOrLoopbackHost } from '../hosts.ts';
import { listen } from '../http/listener.ts';
import { readSettings } from '../settings/setting.ts';
import { SETTINGS } from '../settings/table.ts';
import { type AddCommand, type CommandContext, CommandError, UsageError, wholeNumber } from './command.ts';
import { reasonOf } from './merchant-api.ts';
import { plain } from './table.ts';

/** Next to the simulator's. */
const DEFAULT_PORT = 4011;
/** The server gives up a delivery after 15 s; the answer must be back before. */
const FORWARD_TIMEOUT_MS = 14_000;
/** The server's events are smaller. */
const MAX_BYTES = 256 * 1024;

/** Headers of a connection, not of the event. */
const OF_THE_CONNECTION = new Set(['connection', 'content-length', 'host', 'keep-alive', 'transfer-encoding']);

interface Options {
  forwardTo?: string;
  port: number;
  print?: boolean;
}

const event = z.object({
  type: z.string(),
  // The test event of `doctor` is about nothing.
  data: z.object({ id: z.string().optional() }).optional().catch(undefined),
});

export const addListen: AddCommand = (program, context) => {
  program
    .command('listen')
    .summary('forward your webhooks to an address of this machine')
    .description(
      'Replaces your webhook endpoint while you develop: prints each event, checks its signature, and forwards it unchanged to an address of this machine, whose answer the server gets. Start the server with MERCHANT_WEBHOOK_URL set to the address that is printed. A server on another machine needs the https address of a tunnel to it.',
    )
    .option(
      '--forward-to <address>',
      'your handler, such as http://localhost:8080/webhooks; only prints when left out',
      readUrl,
    )
    .option('--port <number>', 'port on 127.0.0.1; 0 picks one', readPort, DEFAULT_PORT)
    .option('--print', 'print the body of each event as well')
    .action((options: Options) => run(context, options));
};

async function run(context: CommandContext, { forwardTo, port, print }: Options): Promise<void> {
  const { MERCHANT_WEBHOOK_SECRET } = SETTINGS;
  const { values, problems } = readSettings({ MERCHANT_WEBHOOK_SECRET }, context.env);
  if (problems.length > 0) throw new CommandError(problems.join('\n'));
  const secrets = values.MERCHANT_WEBHOOK_SECRET;

  const server = createServer((request, response) => {
    receive(request, response).catch((error: unknown) => {
      context.note(`${(error as Error).message}\n`);
      response.writeHead(500).end();
    });
  });

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request) {
      bytes += (chunk as Buffer).length;
      if (bytes > MAX_BYTES) return void response.writeHead(413, { Connection: 'close' }).end();
      chunks.push(chunk as Buffer);
    }
    if (request.method !== 'POST') return void response.writeHead(405, { Allow: 'POST' }).end();
    const body = Buffer.concat(chunks).toString();
    const headers = Object.fromEntries(
      Object.entries(request.headers).flatMap(([name, value]) =>
        typeof value === 'string' && !OF_THE_CONNECTION.has(name) ? [[name, value] as const] : [],
      ),
    );
    const signature =
      secrets && (isSigned(secrets, body, headers) ? 'signed' : 'NOT SIGNED by MERCHANT_WEBHOOK_SECRET');
    const { status, words } = await forward(forwardTo, headers, body);
    const { type, data } = event.catch({ type: 'no event' }).parse(parse(body));
    const time = new Date().toISOString().slice(11, 19);
    const line = [time, type, data?.id, signature, words].filter(Boolean).join(' ');
    context.write(`${plain(line)}\n`);
    if (print) context.write(`${plain(body)}\n`);
    response.writeHead(status).end();
  }

  const bound = await listen(server, port, '127.0.0.1');
  const settings = [
    `MERCHANT_WEBHOOK_URL=http://127.0.0.1:${bound}/`,
    ...(secrets ? [] : [`MERCHANT_WEBHOOK_SECRET=whsec_… (make one with: ${MERCHANT_WEBHOOK_SECRET.command})`]),
  ];
  context.note(
    `Start the server with\n\n  ${settings.join('\n  ')}\n\n${forwardTo ? `Events go on to ${forwardTo}.` : 'Events are printed and answered with 204.'} Press Ctrl+C to stop.\n`,
  );
  if (secrets === undefined) context.note('Without MERCHANT_WEBHOOK_SECRET here, signatures are not checked.\n');
  await context.untilStopped();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** The handler's answer is the server's, so that its retries can be seen. */
async function forward(
  url: string | undefined,
  headers: Record<string, string>,
  body: string,
): Promise<{ status: number; words: string }> {
  if (url === undefined) return { status: 204, words: '' };
  try {
    const signal = AbortSignal.timeout(FORWARD_TIMEOUT_MS);
    const { status } = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    return { status, words: `-> ${status}` };
  } catch (error) {
    return { status: 502, words: `-> no answer from ${url} (${reasonOf(error)})` };
  }
}

function isSigned(secrets: readonly string[], body: string, headers: Record<string, string>): boolean {
  return secrets.some((secret) => {
    try {
      new Webhook(secret).verify(body, headers);
      return true;
    } catch {
      return false;
    }
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new InvalidArgumentError('It must be an http address.');
  if (!isLocalOrLoopbackHost(url.hostname)) {
    throw new UsageError('--forward-to takes addresses of this machine: events name customers and bank accounts.');
  }
  return url.href;
}

function readPort(text: string): number {
  const port = wholeNumber(text);
  if (!(port <= 65_535)) {
    throw new InvalidArgumentError('It must be a whole number from 0 to 65535.');
  }
  return port;
}
