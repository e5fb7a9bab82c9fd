import type { Tap, TappedAnswer, TappedRequest } from '../../server/clients/outbound.ts';
import { type ConnectSettings, openConnectServer } from './open-connect-server.ts';

/** The settings, and whether the demo is told of each call to Plaid and Finix. */
export type ProcessSettings = ConnectSettings & { isTapped: boolean };

/**
 * The product's own server in a process of its own, as in production: so that the demo can kill it. It is started by
 * `fork` and gets its settings in the first message; on its way out it comes to its next recovery point, unless it is
 * killed.
 */
async function serve({ isTapped, ...settings }: ProcessSettings): Promise<void> {
  const server = await openConnectServer(settings, isTapped ? tapThrough : undefined);
  let isStopping = false;
  const stop = async () => {
    if (isStopping) return;
    isStopping = true;
    await server.stop();
    process.exit(0);
  };
  process.on('message', (message) => {
    if (message === 'stop') void stop();
  });
  // The demo is gone without a word: killed itself.
  process.on('disconnect', () => void stop());
  process.send?.({ port: server.port });
}

/** A call to a provider on its way to the demo, which masks it. */
export type TappedCall =
  | ({ tapped: 'request'; id: number } & TappedRequest)
  | ({ tapped: 'answer'; id: number } & TappedAnswer);

let calls = 0;

const tapThrough: Tap = (request) => {
  const id = ++calls;
  const tell = (call: TappedCall) => void process.send?.(call);
  tell({ tapped: 'request', id, ...request });
  return (answer) => tell({ tapped: 'answer', id, ...answer });
};

// Ctrl+C reaches the whole group; the demo decides when this process ends.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.once('message', (settings) => {
  serve(settings as ProcessSettings).catch((error: unknown) => {
    process.stderr.write(`${(error as Error).stack}\n`);
    process.exit(1);
  });
});
