import pLimit from 'p-limit';
import type { Provider, UpstreamFailure } from '../errors.ts';
import { currentSubject, type Subject, traced } from '../trace.ts';
import { createHttpClient, NoAnswer } from './http-client.ts';
import type { ProxySettings } from './proxy.ts';

/**
 * A failed call to Plaid or Finix. Made fresh at the boundary: no cause, no request, no headers, so that it can be
 * logged.
 */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';

  constructor(
    readonly service: Provider,
    readonly call: string,
    readonly failure: UpstreamFailure,
    /** The provider's own code (`INVALID_PUBLIC_TOKEN`, `INVALID_FIELD`, …) or ours (`TIMEOUT`, `NOT_JSON`, …). */
    readonly code: string,
    readonly details: {
      status?: number;
      /** The provider's message, without anything of the request. */
      providerMessage?: string | undefined;
      /** What an operator does about it. */
      remedy?: string | undefined;
      /** Plaid's request_id or Finix's logref, for their support. */
      requestId?: string;
      /** The field that Finix complains about. */
      field?: string;
      /** Seconds that the upstream asked us to wait. */
      retryAfter?: number;
    } = {},
  ) {
    super(`${service} ${call}: ${code}`);
  }
}

export interface Outbound {
  /** Runs one call, waiting for a free place first. `name` is for metrics and logs. */
  run<T>(name: string, call: (note: NoteRequest) => Promise<T>): Promise<T>;
}

/** Notes the provider's own name for the request, which its support asks for. */
export type NoteRequest = (requestId: string | undefined) => void;

/** A call that has ended. */
export interface ObservedCall {
  call: string;
  outcome: 'ok' | UpstreamFailure;
  /** Since it had its place. */
  seconds: number;
  requestId: string | undefined;
  error: UpstreamError | undefined;
  /** What the work that made it was about. */
  subject: Subject;
}

/** A request to a provider as it leaves, without its headers, which hold the credentials. Its body holds tokens. */
export interface TappedRequest {
  service: UpstreamError['service'];
  method: string;
  /** From the base address on, with its query. */
  path: string;
  /** JSON; empty: there is none. */
  body: string;
}

/** Status null: no answer came. */
export interface TappedAnswer {
  status: number | null;
  body: string;
}

/**
 * Is given every request, and returns what is given the answer. For tools that show calls and mask them, such as the
 * demo; no setting turns it on.
 */
export type Tap = (request: TappedRequest) => (answer: TappedAnswer) => void;

/** Is given every call. */
export type Observer = (call: ObservedCall) => void;

export interface ClientOptions {
  /** Milliseconds after which a call is given up; each client's own when left out. */
  timeoutMs?: number | undefined;
  observe?: Observer | undefined;
  /** Receives the `Date` header of every response, as it is. */
  onDate?: ((date: string | null | undefined) => void) | undefined;
  tap?: Tap | undefined;
  /** Unset: every call is direct. */
  proxy?: ProxySettings | undefined;
}

/** No job waits longer for the time of day. */
const DATE_TIMEOUT_MS = 3_000;

/** Reads `Retry-After`: a number of seconds or a date. What lies in the past asks for no wait. */
export function retryAfterSeconds(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : (Date.parse(text) - now) / 1000;
  return seconds > 0 ? seconds : undefined;
}

/** Asks a server for nothing but the time. It needs no credential: the response to an unknown path has it as well. */
export async function readDate(baseUrl: string, proxy: ProxySettings | undefined): Promise<string | null> {
  const request = { method: 'HEAD', path: '/', headers: {}, timeoutMs: DATE_TIMEOUT_MS };
  const answer = await createHttpClient(baseUrl, proxy)
    .send(request)
    .catch(() => undefined);
  return answer?.headers.date ?? null;
}

/**
 * A cap on calls in flight to one upstream, so that its outage does not pile up sockets and memory here.
 * @param maxInFlight how many at once; the rest are queued
 * @param maxWaiting how long that line may get; further calls are `busy` at once
 * @param maxLineMs how long a call may stand in line; then it is `busy`, and is not sent any more
 */
export function createOutbound({
  service,
  maxInFlight = MAX_IN_FLIGHT,
  maxWaiting = MAX_WAITING,
  maxLineMs = MAX_LINE_MS,
  observe = () => {},
}: {
  service: UpstreamError['service'];
  maxInFlight?: number;
  maxWaiting?: number;
  maxLineMs?: number;
  observe?: Observer;
}): Outbound {
  const limit = pLimit(maxInFlight);
  return {
    async run(name, call) {
      if (limit.pendingCount >= maxWaiting) throw new UpstreamError(service, name, 'busy', 'TOO_MANY_IN_FLIGHT');
      const queued = performance.now();
      // Here: in the queue, calls go on in the context of the one that freed a place for them.
      const subject = currentSubject();
      return traced(`${service} ${name}`, { kind: 'call', service, call: name }, (span) =>
        limit(async () => {
          const started = performance.now();
          if (started - queued > maxLineMs) throw new UpstreamError(service, name, 'busy', 'TOO_LONG_IN_LINE');
          let requestId: string | undefined;
          const ended = (outcome: ObservedCall['outcome'], error?: UpstreamError) => {
            requestId ??= error?.details.requestId;
            span.add({ outcome, code: error?.code, request_id: requestId });
            observe({ call: name, outcome, seconds: (performance.now() - started) / 1000, requestId, error, subject });
          };
          try {
            const answer = await call((id) => {
              requestId = id;
            });
            ended('ok');
            return answer;
          } catch (error) {
            const known = error instanceof UpstreamError ? error : undefined;
            ended(known?.failure ?? 'lost', known);
            throw error;
          }
        }),
      );
    },
  };
}

/** @param error of an HTTP client, or of what makes its requests */
export function unanswered(service: UpstreamError['service'], call: string, error: unknown): UpstreamError {
  const { code, wasSent } = error instanceof NoAnswer ? error : { code: 'NO_ANSWER', wasSent: true };
  return new UpstreamError(service, call, wasSent ? 'lost' : 'busy', code);
}

/** An answer of success without what was asked for: not the provider's own, cut off, or of another form. */
export function unreadable(
  service: UpstreamError['service'],
  call: string,
  json: unknown,
  details?: UpstreamError['details'],
): UpstreamError {
  return new UpstreamError(service, call, 'lost', json === undefined ? 'NOT_JSON' : 'UNREADABLE_ANSWER', details);
}

/** At 200 ms a call this is 320 calls a second, above both providers' limits; more sockets would only queue there. */
const MAX_IN_FLIGHT = 64;
/** A line of 2,000 drains in about 6 s at that rate; a longer one would outlast the callers' patience. */
const MAX_WAITING = 2000;
/**
 * The quiet period counts from before a create call is queued: sent much later, it could be carried out after another
 * worker has looked and created again. During an outage, when each place is taken for a whole time-out, the line could
 * take ten minutes.
 */
const MAX_LINE_MS = 10_000;
