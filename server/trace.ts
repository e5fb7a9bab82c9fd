/** What a call to a provider is about. */
export interface Subject {
  session?: string;
  connection?: string;
}

/** Short facts of a span: no token, no personal data. */
export type SpanFacts = Record<string, string | number | undefined>;

/** The part of a span that work fills in when it knows more. */
export interface OpenSpan {
  add(facts: SpanFacts): void;
}

/** The part of `@opentelemetry/api` that is used here; described, so that no type of this package needs it. */
interface OpenTelemetryApi {
  trace: {
    getTracer(name: string): {
      startActiveSpan<T>(name: string, options: { kind: number; attributes: SpanFacts }, run: (span: ApiSpan) => T): T;
    };
  };
  SpanKind: { INTERNAL: number; CLIENT: number };
  SpanStatusCode: { ERROR: number };
}

interface ApiSpan {
  setAttributes(attributes: SpanFacts): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  end(): void;
}

/**
 * Of the calls that begin before the work at hand first waits. Not an AsyncLocalStorage, which before Node 24 costs
 * every promise of the process more than a twentieth of a session's processor time.
 */
let present: Subject = {};
const NO_SPAN: OpenSpan = { add: () => {} };

/** As OpenTelemetry itself, one for the process: a host that registers an SDK does so for the process as well. */
let openTelemetry: OpenTelemetryApi | undefined;

/**
 * Uses `@opentelemetry/api` for spans when it is installed. Without it, or without an SDK that is registered with it,
 * spans cost nothing.
 * @returns whether it is installed
 */
export async function enableTracing(): Promise<boolean> {
  try {
    openTelemetry = (await import('@opentelemetry/api')) as unknown as OpenTelemetryApi;
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
  }
  return openTelemetry !== undefined;
}

export function currentSubject(): Subject {
  return present;
}

/** The call to a provider that `run` begins at once is about this subject, in addition to what is known already. */
export function about<T>(subject: Subject, run: () => T): T {
  const before = present;
  present = { ...before, ...subject };
  try {
    return run();
  } finally {
    present = before;
  }
}

/** The same dependencies, with clients all of whose calls are about this subject. */
export function depsAbout<T extends { plaid?: object; finix?: object }>(deps: T, subject: Subject): T {
  const own = { ...deps };
  if (deps.plaid) own.plaid = clientAbout(deps.plaid, subject);
  if (deps.finix) own.finix = clientAbout(deps.finix, subject);
  return own;
}

export function clientAbout<T extends object>(client: T, subject: Subject): T {
  return new Proxy(client, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => about(subject, () => Reflect.apply(member, target, args));
    },
  });
}

/**
 * Runs a step of the work, or a call to a provider, under a span of its own.
 * @param kind `call`: to another service
 */
export async function traced<T>(
  name: string,
  { kind = 'step', ...facts }: SpanFacts & { kind?: 'step' | 'call' },
  run: (span: OpenSpan) => Promise<T>,
): Promise<T> {
  if (!openTelemetry) return run(NO_SPAN);
  const { trace, SpanKind, SpanStatusCode } = openTelemetry;
  const { session, connection } = currentSubject();
  const attributes = prefixed({ session, connection, ...facts });
  const options = { kind: kind === 'call' ? SpanKind.CLIENT : SpanKind.INTERNAL, attributes };
  return trace.getTracer('finix-bank-connect').startActiveSpan(name, options, async (span) => {
    try {
      return await run({ add: (more) => void span.setAttributes(prefixed(more)) });
    } catch (error) {
      // The name alone: a message can hold what a customer typed.
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'error' });
      throw error;
    } finally {
      span.end();
    }
  });
}

function prefixed(facts: SpanFacts): SpanFacts {
  const known = Object.entries(facts).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known.map(([name, value]) => [`fbc.${name}`, value]));
}
