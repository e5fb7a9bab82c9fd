import type { Context } from 'hono';
import type { ProblemCode } from '../../widget/contract.ts';
import type { FinixClient } from '../clients/finix.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import type { ProviderProblems } from '../clients/provider-problems.ts';
import type { Config } from '../config.ts';
import type { BankConnector } from '../connect/bank-connector.ts';
import type { InstitutionLogos } from '../connect/institution-logos.ts';
import type { Deliveries } from '../deliveries/deliveries.ts';
import type { ConnectionTasks } from '../lifecycle/connection-tasks.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Outbox } from '../records/outbox.ts';
import type { Storage } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { Inbound } from '../webhooks/receive.ts';
import type { Timing } from '../work/timing.ts';

/** Everything that the app works with, opened by its caller. */
export interface AppDeps {
  config: Config;
  storage: Storage;
  secrets: Secrets;
  plaid: PlaidClient;
  finix: FinixClient;
  timing: Timing;
  connector: BankConnector;
  logos: InstitutionLogos;
  tasks: ConnectionTasks;
  inbound: Inbound;
  deliveries: Deliveries;
  outbox: Outbox;
  log: Logger;
  metrics: Metrics;
  providerProblems: ProviderProblems;
  /** Of this package. */
  version: string;
  /** The built script-tag bundle; undefined when it is not served from here. */
  script: ScriptBundle | undefined;
  docs?: DocsBundle | undefined;
  /** Turns true when the process begins to stop. */
  isReady: () => boolean;
  isStopping: () => boolean;
}

/** The documentation site: its files, by their path in it. */
export interface DocsBundle {
  files: ReadonlyMap<string, Uint8Array>;
}

export interface ScriptBundle {
  /** File name → content; the entry is `finix-bank-connect.js`, others are what it loads later. */
  files: Map<string, Uint8Array>;
}

export interface AppEnv {
  Variables: {
    requestId: string;
    ip: string | null;
    /** Nothing came of it, and many may come: in the log only where it is asked for. */
    isQuiet?: boolean;
    /** Its answer was made with them. */
    hasSafeHeaders?: boolean;
    /** Of the problem that the request was answered with, for the log. */
    problemCode?: ProblemCode;
    /** The caller went away before its body was whole. */
    isCutOff?: boolean;
    /** Of a request that a browser makes by itself: its problems are read by a person, as a page. */
    problemPage?: (code: ProblemCode, status: number) => Response | Promise<Response>;
  };
}

export type AppContext = Context<AppEnv>;
