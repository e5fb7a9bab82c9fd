import type { Config } from '../config.ts';
import type { MerchantWebhooks } from '../deliveries/send.ts';
import { newId } from '../ids.ts';
import { assertKeys } from '../storage/check-keys.ts';
import { StorageSetupError, StorageUnavailableError } from '../storage/errors.ts';
import { inspectStorage } from '../storage/inspect.ts';
import { openStorage } from '../storage/open.ts';
import { createSecrets } from '../storage/secrets.ts';
import { type Check, fail, ok, warn } from './check.ts';

/** Whether the database can be used with the keys; a schema that the next start changes is left as it is. */
export async function checkStorage(config: Config): Promise<Check> {
  const where = config.databaseUrl ? 'PostgreSQL' : `the embedded database in ${config.dataDir}`;
  try {
    const { exists, pending, unknown } = await inspectStorage(config);
    if (unknown.length > 0) {
      return fail(
        'storage',
        `A newer version has written ${where} (${unknown.join(', ')}).`,
        'Start the newer version, or restore the backup that was taken before the upgrade.',
      );
    }
    if (!exists) return ok('storage', `The first start makes ${where}.`);
    if (pending.length > 0) {
      return ok(
        'storage',
        `The next start brings the schema of ${where} up to date (${pending.join(', ')}): back up first.`,
      );
    }
    const storage = await openStorage(config);
    try {
      await storage.ping();
      await assertKeys(storage, createSecrets(config.encryptionKeys));
    } finally {
      await storage.close();
    }
    return ok(
      'storage',
      `${config.databaseUrl ? where : 'The embedded database'} can be written, with the keys of ENCRYPTION_KEY.`,
    );
  } catch (error) {
    if (error instanceof StorageUnavailableError) {
      return fail('storage', error.message, 'Check DATABASE_URL or the disk of DATA_DIR, and that the database runs.');
    }
    if (error instanceof StorageSetupError) return fail('storage', error.message, 'See docs/operations.md.');
    const { code, path } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return fail(
      'storage',
      `${path ?? config.dataDir} cannot be used (${code}).`,
      'Let the user of the server write DATA_DIR.',
    );
  }
}

/** Longer than a server on the internet takes to answer a probe. */
const PROBE_MS = 10_000;

/**
 * The running server, reached as browsers and providers reach it: from here, so a firewall that lets only this machine
 * in goes unnoticed.
 */
export async function checkRunningServer({ publicUrl, merchantApiKeys, allowedOrigins }: Config): Promise<Check[]> {
  const health = await probe(`${publicUrl}/healthz`);
  if (health === undefined) {
    // No failure: the checks before it are also of use before the first start.
    return [warn('server', `No server answers at ${publicUrl}.`, 'Start it there, and run this again.')];
  }
  if (health.status !== 200 || health.json['status'] !== 'ok') {
    return [
      fail(
        'server',
        `${publicUrl}/healthz answers ${health.status}, and not as this server does.`,
        'Check PUBLIC_URL, its path, and the proxy that listens there.',
      ),
    ];
  }
  const checks = [ok('server', `The server answers at ${publicUrl}.`)];
  const ready = await probe(`${publicUrl}/readyz`);
  const attention = ready?.json['needs_attention'];
  for (const { service, call, code, remedy } of Array.isArray(attention) ? attention : []) {
    checks.push(fail('needs_attention', `The running server gets ${code} from ${service} ${call}.`, String(remedy)));
  }
  checks.push(await checkKey(publicUrl, merchantApiKeys[0] ?? ''), ...(await checkWebhookRoutes(publicUrl)));
  for (const origin of allowedOrigins) checks.push(await checkOrigin(publicUrl, origin));
  return checks;
}

const RESTART = 'The running server has other settings: restart it with these.';

async function checkKey(publicUrl: string, key: string): Promise<Check> {
  const answer = await probe(`${publicUrl}/v1/sessions?limit=1`, { headers: { Authorization: `Bearer ${key}` } });
  return answer?.status === 200
    ? ok('merchant_api', 'The running server takes MERCHANT_API_KEY.')
    : fail('merchant_api', `The running server refuses MERCHANT_API_KEY (${answer?.status ?? 'no answer'}).`, RESTART);
}

/** Unsigned on purpose: ours refuses Plaid's and takes Finix's empty set-up test. */
async function checkWebhookRoutes(publicUrl: string): Promise<Check[]> {
  const plaid = await probe(`${publicUrl}/webhooks/plaid`, { method: 'POST', body: '{}' });
  const finix = await probe(`${publicUrl}/webhooks/finix`, { method: 'POST' });
  const blocked = 'Let POST requests to /webhooks/* through the proxy or firewall, with their bodies unchanged.';
  return [
    plaid?.status === 401
      ? ok('plaid_webhook', 'Plaid’s webhooks reach the server.')
      : fail(
          'plaid_webhook',
          `${publicUrl}/webhooks/plaid answers ${plaid?.status ?? 'nothing'} to an unsigned webhook.`,
          blocked,
        ),
    finix?.status === 200
      ? ok('finix_webhook', 'Finix’s webhooks reach the server.')
      : fail(
          'finix_webhook',
          `${publicUrl}/webhooks/finix answers ${finix?.status ?? 'nothing'} to Finix’s set-up test.`,
          blocked,
        ),
  ];
}

async function checkOrigin(publicUrl: string, origin: string): Promise<Check> {
  const answer = await probe(`${publicUrl}/v1/sessions/ses_${'0'.repeat(24)}`, { headers: { Origin: origin } });
  if (answer?.json['code'] === 'origin_not_allowed') {
    return fail('origin', `The running server refuses pages of ${origin}.`, RESTART);
  }
  if (answer?.headers.get('Access-Control-Allow-Origin') === origin) {
    return ok('origin', `Pages of ${origin} may use the server.`);
  }
  return fail(
    'origin',
    `A page of ${origin} cannot read the server’s answers: Access-Control-Allow-Origin is missing.`,
    'Let the proxy pass CORS headers on, and answer no preflight itself.',
  );
}

/** Sends a signed test event to the merchant's endpoint, as a real one is sent. */
export async function checkMerchantWebhook(webhooks: MerchantWebhooks, now = new Date()): Promise<Check> {
  const body = JSON.stringify({ type: 'webhook.test', timestamp: now.toISOString(), data: { object: 'test' } });
  const { status, error } = await webhooks.send(newId('msg'), body);
  if (error === null) return ok('merchant_webhook', `Your endpoint took a test event with ${status}.`);
  return fail(
    'merchant_webhook',
    `Your endpoint did not take a test event: ${error}.`,
    status === null
      ? 'Check MERCHANT_WEBHOOK_URL: its name must lead to a public address, and something must listen there.'
      : 'Answer 2xx within 15 seconds, also to types that you do not know; verify with MERCHANT_WEBHOOK_SECRET over the raw body.',
  );
}

interface Probe {
  status: number;
  headers: Headers;
  json: Record<string, unknown>;
}

async function probe(url: string, init: RequestInit = {}): Promise<Probe | undefined> {
  try {
    const signal = AbortSignal.timeout(PROBE_MS);
    const response = await fetch(url, { ...init, redirect: 'manual', signal });
    const json: unknown = await response.json().catch(() => undefined);
    const { status, headers } = response;
    return {
      status,
      headers,
      json: typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {},
    };
  } catch {
    return undefined;
  }
}
