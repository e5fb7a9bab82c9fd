import { type Config, webhookUrl } from '../config.ts';
import { isLocalUrl } from '../hosts.ts';
import { type Check, ok, warn } from './check.ts';

/**
 * What a newcomer gets wrong, as far as the settings show it: one sentence each, for the start of the server and for
 * `doctor`. No call is made. A contradiction between settings is an error of the start itself (config.ts).
 */
export function settingsHints(config: Config): Check[] {
  const isLive = config.plaid.environment === 'production';
  const isSimulated = isLocalUrl(config.plaid.baseUrl);
  return [
    ...originHints(config, isLive),
    ...addressHints(config, isLive),
    ...webhookHints(config),
    ...(isLive || isSimulated
      ? []
      : [
          warn(
            'plaid_integration',
            'Plaid makes processor tokens for Finix only after you enabled Finix.',
            'Enable Finix in Plaid’s Dashboard under Developers > Integrations, then run `finix-bank-connect-server doctor`.',
          ),
        ]),
    keyHint(config),
  ];
}

/** `localhost` and `127.0.0.1` are two origins for a browser. */
const TWINS: Readonly<Record<string, string>> = { localhost: '127.0.0.1', '127.0.0.1': 'localhost' };

function originHints({ allowedOrigins, publicUrl }: Config, isLive: boolean): Check[] {
  const hints: Check[] = [];
  if (isLive && allowedOrigins.every(isLocalUrl)) {
    hints.push(
      warn(
        'origins',
        'ALLOWED_ORIGINS names pages of this machine only, in production.',
        'Add the exact origin of your page, such as https://shop.example.',
      ),
    );
  }
  for (const origin of allowedOrigins) {
    const url = new URL(origin);
    const twin = TWINS[url.hostname];
    const other = twin && origin.replace(url.hostname, twin);
    if (other && !allowedOrigins.includes(other)) {
      hints.push(
        warn(
          'origins',
          `ALLOWED_ORIGINS has ${origin} and not ${other}: a page opened at the second is refused.`,
          `Open the page at ${origin}, or add ${other}.`,
        ),
      );
    }
  }
  const isMixed = publicUrl.startsWith('http:') && allowedOrigins.some((origin) => origin.startsWith('https:'));
  if (isMixed) {
    hints.push(
      warn(
        'http_address',
        `PUBLIC_URL is ${publicUrl}, and some pages in ALLOWED_ORIGINS use https: some browsers block http calls from them.`,
        'Give the server an https address, such as a tunnel’s, and set PUBLIC_URL to it.',
      ),
    );
  }
  return hints;
}

function addressHints({ publicUrl, plaid, trustedProxies }: Config, isLive: boolean): Check[] {
  if (isLocalUrl(publicUrl)) {
    if (isLive) {
      return [
        warn(
          'http_address',
          `PUBLIC_URL is ${publicUrl}, which no customer’s browser reaches.`,
          'Set PUBLIC_URL to the https address of this server.',
        ),
      ];
    }
    return webhookUrl({ plaid, publicUrl }) === undefined
      ? [
          warn(
            'http_address',
            `PUBLIC_URL is ${publicUrl}, which Plaid and Finix cannot reach: their webhooks do not arrive.`,
            'For later events, open a tunnel and set PUBLIC_URL to its https address, or use the simulator.',
          ),
        ]
      : [];
  }
  if (trustedProxies.length > 0) return [];
  return [
    warn(
      'trusted_proxies',
      'TRUSTED_PROXIES is not set: behind a proxy, all customers share one rate limit and one address in their records.',
      'Set it to the addresses of your proxies. Without a proxy, nothing is to be done.',
    ),
  ];
}

function webhookHints({ finix, merchantWebhook }: Config): Check[] {
  const hints: Check[] = [];
  if (finix.webhookSecrets.length === 0) {
    hints.push(
      warn(
        'finix_webhook_secret',
        'FINIX_WEBHOOK_SECRET is not set: Finix’s webhooks are refused with 401, so returned debits go unnoticed.',
        'Create a webhook for {PUBLIC_URL}/webhooks/finix at Finix and set its secret_signing_key.',
      ),
    );
  }
  if (!merchantWebhook) {
    hints.push(
      warn(
        'merchant_webhook',
        'MERCHANT_WEBHOOK_URL is not set: your server learns of a broken or revoked connection only by asking.',
        'Set MERCHANT_WEBHOOK_URL and MERCHANT_WEBHOOK_SECRET. While you develop: `finix-bank-connect-server listen`.',
      ),
    );
  }
  return hints;
}

/** As in config.ts, which refuses shorter ones in production. */
const GOOD_KEY = 32;

function keyHint({ merchantApiKeys }: Config): Check {
  const RULE = 'MERCHANT_API_KEY belongs on your server; a browser that sends it is refused (merchant_key_in_browser)';
  if (merchantApiKeys.every((key) => key.length >= GOOD_KEY)) return ok('merchant_key', `${RULE}.`);
  return warn(
    'merchant_key',
    `${RULE}, and production takes ${GOOD_KEY} characters or more.`,
    'Make one with: openssl rand -base64 32',
  );
}
