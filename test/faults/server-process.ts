import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { RunningSimulator } from '../../demo/simulator/index.ts';
import { eventually, testEnvironment } from '../helpers/server.ts';
import type { Control } from './controls.ts';
import { type Order, PATIENCE, slowly } from './times.ts';

/**
 * Node, the server's code and a migration: under a second on an idle machine, several while other instances are busy.
 */
const START_TIMEOUT_MS = slowly(30_000);
/** Enough to show why a process did not start. */
const STDERR_CHARACTERS = 2_000;

export interface ClusterOptions {
  upstream: RunningSimulator;
  /** DATABASE_URL or DATA_DIR. */
  database: Record<string, string>;
  /** Settings that differ from a test's usual ones. */
  settings?: Record<string, string> | undefined;
  control?: Control | undefined;
  /** Another checkout whose server runs; this one when left out. */
  server?: string | undefined;
  /** Show the instances' logs. */
  verbose?: boolean | undefined;
}

/** One server process. */
export class Instance {
  /** Lines that it has printed, oldest first. */
  readonly printed: string[] = [];
  /** The end of its standard error. */
  stderr = '';
  readonly #child: ChildProcess;
  readonly exited: Promise<void>;
  url: string | undefined;

  constructor(
    file: string,
    { upstream, database, settings, control, verbose }: ClusterOptions,
    unanswered: Set<string>,
  ) {
    const env = {
      PATH: process.env['PATH'],
      FAULTS_PATIENCE: String(PATIENCE),
      ...testEnvironment({ PLAID_BASE_URL: upstream.plaidUrl, FINIX_BASE_URL: upstream.finixUrl }),
      ...database,
      ...settings,
      LOG_LEVEL: verbose ? 'info' : 'silent',
      ...(control ? { FAULTS_CONTROL: control } : {}),
    };
    this.#child = spawn(process.execPath, ['--enable-source-maps', file], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.exited = once(this.#child, 'exit').then(() => {
      this.url = undefined;
    });
    // An order to a process that has just died is no error of the suite.
    this.#child.stdin?.on('error', () => {});
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (verbose) process.stderr.write(text);
      this.stderr = (this.stderr + text).slice(-STDERR_CHARACTERS);
    });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.printed.push(line);
      if (line.startsWith('lost ')) unanswered.add(line.slice('lost '.length));
      if (line.startsWith('listening ')) this.url = `http://127.0.0.1:${line.slice('listening '.length)}`;
    });
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  async listening(): Promise<void> {
    await eventually(async () => {
      if (!this.isAlive) throw new Error(`an instance ended before it listened: ${this.stderr}`);
      return this.url !== undefined;
    }, START_TIMEOUT_MS);
  }

  async send(order: Order): Promise<void> {
    const before = this.printed.length;
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    const isDone = () => this.printed.indexOf(`done ${order.order}`, before) >= 0;
    await eventually(async () => !this.isAlive || isDone(), START_TIMEOUT_MS);
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    if (this.isAlive) this.#child.kill(signal);
  }

  async hasPrinted(beginning: string, ms: number): Promise<boolean> {
    const isPrinted = () => this.printed.some((line) => line.startsWith(beginning));
    return eventually(async () => isPrinted(), ms).catch(() => false);
  }
}
