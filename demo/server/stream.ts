import type { Visit } from './visits.ts';

/** Idle connections are cut by some proxies after half a minute. */
const HEARTBEAT_MS = 15_000;

/**
 * Server-Sent Events of one visit, from its beginning: `step` and `state`. A page that connects again gets everything
 * again.
 */
export function streamOf(visit: Visit): Response {
  const encoder = new TextEncoder();
  let leave = () => {};
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      const send = (text: string) => controller.enqueue(encoder.encode(text));
      send('retry: 500\n\n');
      const stop = visit.listen((event, data) => send(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
      const heartbeat = setInterval(() => send(': \n\n'), HEARTBEAT_MS);
      // In a browser a timer is a number, and there is no process that it could keep alive.
      if (typeof heartbeat === 'object') heartbeat.unref();
      leave = () => {
        stop();
        clearInterval(heartbeat);
      };
    },
    cancel: () => leave(),
  });
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' } });
}
