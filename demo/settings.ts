import { randomBytes } from 'node:crypto';
import { type Config, loadConfig } from '../server/config.ts';

type Environment = Record<string, string | undefined>;

const CREDENTIALS = ['PLAID_CLIENT_ID', 'PLAID_SECRET', 'FINIX_USERNAME', 'FINIX_PASSWORD'] as const;

/**
 * Where pages under development are served by default: Next.js and Express, Angular, Flask, Vite, Live Server, Python
 * and PHP, webpack, Jupyter.
 */
const DEVELOPMENT = [3000, 4200, 5000, 5173, 5500, 8000, 8080, 8888].flatMap((port) => [
  `http://localhost:${port}`,
  `http://127.0.0.1:${port}`,
]);

/** What a person must change before the demo can start. */
export class DemoSettingsError extends Error {
  override readonly name = 'DemoSettingsError';
}

/**
 * Whether to talk to the real sandboxes: when the environment has all credentials. None at all means the simulator.
 * @throws DemoSettingsError when only some are set, or when they are for real money
 */
export function usesSandboxes(env: Environment): boolean {
  const missing = CREDENTIALS.filter((name) => !env[name]?.trim());
  if (missing.length === CREDENTIALS.length) return false;
  if (missing.length > 0) {
    const present = CREDENTIALS.filter((name) => !missing.includes(name));
    throw new DemoSettingsError(
      `${list(present)} ${present.length === 1 ? 'is' : 'are'} set, but ${list(missing)} ${missing.length === 1 ? 'is' : 'are'} not.\n` +
        'Set all four to use the sandboxes of Plaid and Finix, or none of them to use the simulator.',
    );
  }
  const real = { PLAID_ENV: 'sandbox', FINIX_ENV: 'sandbox' };
  for (const [name, allowed] of Object.entries(real)) {
    const value = env[name]?.trim();
    if (value && value !== allowed) throw new DemoSettingsError(`${name} is "${value}"; the demo only uses sandboxes.`);
  }
  return true;
}

export interface DemoFacts {
  shop: string;
  connect: string;
  dataDir: string;
  merchantKey: string;
  webhookSecret: string;
  isSimulated: boolean;
}

/** A whole environment for the server: what is given, completed by what only a demo may choose by itself. */
export function demoConfig(
  given: Environment,
  { shop, connect, dataDir, merchantKey, webhookSecret, isSimulated }: DemoFacts,
): Config {
  const providers = Object.entries(given).filter(([name]) => /^(PLAID|FINIX)_/.test(name));
  return loadConfig({
    PLAID_ENV: 'sandbox',
    PLAID_CLIENT_NAME: 'Kestrel & Oak',
    FINIX_ENV: 'sandbox',
    ...Object.fromEntries(providers),
    MERCHANT_API_KEY: merchantKey,
    MERCHANT_WEBHOOK_URL: `${shop}/webhooks/merchant`,
    MERCHANT_WEBHOOK_SECRET: webhookSecret,
    // With the simulator also the pages that a visitor makes of the playground's snippets.
    ALLOWED_ORIGINS: isSimulated ? [shop, ...DEVELOPMENT].join(',') : shop,
    PUBLIC_SESSIONS: 'on',
    PUBLIC_URL: connect,
    DATA_DIR: dataDir,
    // Lives as long as the folder that it encrypts.
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    // What the simulator does wrong on purpose is on the page already; what a sandbox answers is not.
    LOG_LEVEL: given['LOG_LEVEL'] ?? (isSimulated ? 'fatal' : 'warn'),
  });
}

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
