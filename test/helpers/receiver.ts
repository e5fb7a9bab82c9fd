import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { Gate } from './gate.ts';

export const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;

export interface ReceivedWebhook {
  headers: IncomingHttpHeaders;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any body from the wire; a wrong shape fails its expectation.
  body: any;
  /** Whether the signature is the one that the secret gives. */
  isSigned: boolean;
}

/** The merchant's side of webhooks, on loopback. */
export interface Receiver {
  url: string;
  received: ReceivedWebhook[];
  /** What it answers from now on; 204 at first. */
  answer: { status: number; headers?: Record<string, string> };
  /** Keeps answers back until the gate is opened. */
  hold(): Gate;
  /** The types that came, in order. */
  types(): string[];
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: ReceivedWebhook[] = [];
  let held = Promise.resolve();
  const receiver: Receiver = {
    url: '',
    received,
    answer: { status: 204 },
    hold() {
      const gate = new Gate();
      held = gate.passed;
      return gate;
    },
    types: () => received.map(({ body }) => body.type),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      received.push({
        headers: request.headers,
        text,
        body: JSON.parse(text),
        isSigned: isSigned(text, request.headers),
      });
      const { status, headers } = receiver.answer;
      void held.then(() => response.writeHead(status, headers).end());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
  return receiver;
}

function isSigned(text: string, headers: IncomingHttpHeaders): boolean {
  try {
    new Webhook(WEBHOOK_SECRET).verify(text, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}
