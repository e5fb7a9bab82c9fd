import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../helpers/postgres.ts';
import { percentile } from '../statistics.ts';
import { generate } from './generator.ts';
import { type Process, startServer, startUpstreamProcess } from './processes.ts';

export interface LoadMeasurement {
  subject: Subject;
  in_flight: number;
  sessions: number;
  failures: number;
  sessions_per_second: number;
  /** Whole sessions, in milliseconds. */
  p50_ms: number;
  p99_ms: number;
  /** The same without the 200 ms of each call to an upstream: everything else, waiting in line included. */
  own_p50_ms: number;
  own_p99_ms: number;
  /** Processor time of the server for one session, in milliseconds. */
  cpu_ms: number;
  rss_mb: number;
}

/** The plain handler stores nothing; see plain-server.ts. */
export const SUBJECTS = ['plain', 'sqlite', 'postgres'] as const;
export type Subject = (typeof SUBJECTS)[number];

export const IN_FLIGHT = [1, 10, 100, 1_000] as const;
/**
 * One after the other: one for the link token, five for completing. The identity and the processor token are made at
 * once.
 */
const CALLS = 6;
export const DELAY_MS = 200;
const WARM_UP_SECONDS = 3;
const RAMP_SECONDS = 2.5;
const CROWDED_SECONDS = 20;

export interface LoadOptions {
  seconds: number;
  subjects?: readonly Subject[];
  inFlight?: readonly number[];
  /** How this file is started as the plain server or the upstream: arguments for Node. */
  child: (role: 'plain' | 'upstream') => string[];
  /** The built server's file. */
  server: string;
  /** Arguments for the server's Node, such as --cpu-prof. */
  serverArgs?: string[];
  report?: (measurements: LoadMeasurement) => void;
}

const COLUMNS: [name: string, cell: (measurements: LoadMeasurement) => string][] = [
  ['subject', (f) => f.subject],
  ['in flight', (f) => String(f.in_flight)],
  ['per s', (f) => f.sessions_per_second.toFixed(1)],
  ['p50 ms', (f) => f.p50_ms.toFixed(0)],
  ['p99 ms', (f) => f.p99_ms.toFixed(0)],
  ['own p50', (f) => f.own_p50_ms.toFixed(0)],
  ['own p99', (f) => f.own_p99_ms.toFixed(0)],
  ['cpu ms', (f) => f.cpu_ms.toFixed(1)],
  ['rss MB', (f) => f.rss_mb.toFixed(0)],
  ['failed', (f) => String(f.failures)],
];

export function loadHeading(): string {
  return COLUMNS.map(([name]) => name.padStart(9)).join(' ');
}

export function loadRow(measurements: LoadMeasurement): string {
  return COLUMNS.map(([, cell]) => cell(measurements).padStart(9)).join(' ');
}

/** Measures the subjects one after the other, each at every level, with the same upstream. */
export async function measureLoad(options: LoadOptions): Promise<LoadMeasurement[]> {
  const measurements: LoadMeasurement[] = [];
  const upstream = await startUpstreamProcess(options.child('upstream'));
  try {
    for (const subject of options.subjects ?? SUBJECTS) {
      const started = await startSubject(subject, upstream.url, options);
      if (!started) continue;
      try {
        await generate(started.server.url, started.key, 50, WARM_UP_SECONDS);
        for (const inFlight of options.inFlight ?? IN_FLIGHT) {
          const measured = await measureLevel(subject, started, inFlight, options.seconds);
          measurements.push(measured);
          options.report?.(measured);
        }
      } finally {
        await started.stop();
      }
    }
  } finally {
    await upstream.stop();
  }
  return measurements;
}

interface Started {
  server: Process;
  key: string;
  stop(): Promise<void>;
}

async function startSubject(
  subject: Subject,
  upstreamUrl: string,
  { child, server, serverArgs = [] }: LoadOptions,
): Promise<Started | undefined> {
  const key = randomBytes(24).toString('hex');
  const start = (args: string[], settings: Record<string, string>) => startServer(args, upstreamUrl, key, settings);
  if (subject === 'plain') {
    const plain = await start([...serverArgs, ...child('plain')], {});
    return { server: plain, key, stop: plain.stop };
  }
  if (subject === 'sqlite') {
    const dataDir = await mkdtemp(join(tmpdir(), 'fbc-load-'));
    const own = await start([...serverArgs, server], { DATA_DIR: dataDir });
    const stop = async () => {
      await own.stop();
      await rm(dataDir, { recursive: true, force: true });
    };
    return { server: own, key, stop };
  }
  const postgres = await startPostgres();
  if ('skipped' in postgres) return undefined;
  const own = await start([...serverArgs, server], { DATABASE_URL: await postgres.createDatabase() });
  const stop = async () => {
    await own.stop();
    await postgres.stop();
  };
  return { server: own, key, stop };
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

async function measureLevel(
  subject: Subject,
  { server, key }: Started,
  inFlight: number,
  seconds: number,
): Promise<LoadMeasurement> {
  // A session lasts over a second, and among a thousand of them a dozen and more: none ends before, and all at once
  // then.
  const isCrowded = inFlight >= 1_000;
  const ramp = isCrowded ? CROWDED_SECONDS : RAMP_SECONDS;
  const lasting = isCrowded ? Math.max(seconds, CROWDED_SECONDS) : seconds;
  const before = server.used().cpuMs;
  const { sessions, failures } = await generate(server.url, key, inFlight, lasting, ramp);
  const { cpuMs, rssMb } = server.used();
  const p50 = sessions.length > 0 ? percentile(sessions, 0.5) : Number.NaN;
  const p99 = sessions.length > 0 ? percentile(sessions, 0.99) : Number.NaN;
  return {
    subject,
    in_flight: inFlight,
    sessions: sessions.length,
    failures,
    // A thousand that began together end together: how many waves fall into the time would be chance. So many in
    // flight, each for so long.
    sessions_per_second: sessions.length > 0 ? (inFlight * 1000 * sessions.length) / sum(sessions) : 0,
    p50_ms: p50,
    p99_ms: p99,
    own_p50_ms: p50 - CALLS * DELAY_MS,
    own_p99_ms: p99 - CALLS * DELAY_MS,
    // Of what ended during the ramp too, which takes as much of its time for itself.
    cpu_ms: ((cpuMs - before) * lasting) / (lasting + ramp) / sessions.length,
    rss_mb: rssMb,
  };
}
