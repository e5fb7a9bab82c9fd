import type { Command } from 'commander';
import { z } from 'zod';
import { readSettings } from '../settings/setting.ts';
import { SETTINGS } from '../settings/table.ts';
import { type CommandContext, CommandError, EXIT } from './command.ts';

/** The running server, as the merchant's own server calls it. */
export interface MerchantApi {
  url: string;
  /** @param path from `/v1` on. @throws CommandError with the server's own words */
  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<{ status: number; body: unknown }>;
  /** Every row of a list, page by page, so that a long one is printed as it comes. */
  list(path: string, query: Record<string, string | undefined>, most?: number): AsyncIterable<Row>;
}

export type Row = Record<string, unknown>;

/** The server's own limits on what it waits for are shorter; a longer silence is no answer. */
const TIMEOUT_MS = 60_000;
/** The largest page that the server gives. */
const PAGE_SIZE = 100;

const problem = z.object({ code: z.string(), title: z.string(), detail: z.string().nullish(), request_id: z.string() });
const page = z.object({ data: z.array(z.record(z.string(), z.unknown())), next_cursor: z.string().nullable() });

/** The option of every command that calls the running server. */
export function withServerOption(command: Command): Command {
  return command.option('--url <address>', 'address of the running server (default: PUBLIC_URL)');
}

/** A new key, which the setting's own hint makes, is none that a running server knows. */
const KEY_OF_THE_SERVER: typeof SETTINGS.MERCHANT_API_KEY = {
  ...SETTINGS.MERCHANT_API_KEY,
  read: (text) =>
    text === undefined
      ? { problems: ['is missing: set it to a key of the running server'] }
      : SETTINGS.MERCHANT_API_KEY.read(text),
};
const DEV_HINT = 'For the server of `dev`, run: eval "$(finix-bank-connect-server dev --settings)"';

/** Calls the server with the first key of MERCHANT_API_KEY. @throws CommandError when a setting is missing */
export function merchantApi({ env }: Pick<CommandContext, 'env'>, address: string | undefined): MerchantApi {
  const { PUBLIC_URL } = SETTINGS;
  const given = address === undefined ? env : { ...env, PUBLIC_URL: address };
  const { values, problems } = readSettings({ PUBLIC_URL, MERCHANT_API_KEY: KEY_OF_THE_SERVER }, given);
  const { PUBLIC_URL: base, MERCHANT_API_KEY: [key] = [] } = values;
  if (base === undefined || key === undefined) {
    const named = address === undefined ? problems : problems.map((problem) => problem.replace(/^PUBLIC_URL/, '--url'));
    const lines = named.map((problem) => `\n  - ${problem}`).join('');
    const isUrlWrong = named.some((problem) => problem.startsWith('--url'));
    throw new CommandError(
      `This command calls the running server:${lines}\n${DEV_HINT}`,
      isUrlWrong ? EXIT.usage : EXIT.failed,
    );
  }
  const url = base.replace(/\/$/, '');

  async function call(method: string, path: string, body?: object) {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, ...(body ? { 'Content-Type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      // The key must not follow to another host.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: unknown) => {
      throw new CommandError(
        `No answer from ${url} (${reasonOf(error)}). Is the server running there?`,
        EXIT.unreachable,
      );
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return { status: response.status, body: answer };
    throw new CommandError(
      sentenceFor(url, response.status, answer),
      response.status >= 500 ? EXIT.unreachable : EXIT.failed,
    );
  }

  return {
    url,
    call,
    async *list(path, query, most = Number.POSITIVE_INFINITY) {
      let cursor: string | null | undefined;
      for (let left = most; left > 0 && cursor !== null; ) {
        const given = { ...query, limit: String(Math.min(left, PAGE_SIZE)), cursor };
        const set = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined);
        const { data, next_cursor } = page.parse((await call('GET', `${path}?${new URLSearchParams(set)}`)).body);
        yield* data;
        left -= data.length;
        cursor = next_cursor;
      }
    },
  };
}

function sentenceFor(url: string, status: number, answer: unknown): string {
  const { success, data } = problem.safeParse(answer);
  if (!success) return `${url} answered ${status}, and not as this server does: check PUBLIC_URL or --url.`;
  if (data.code === 'unauthorized') {
    return `${url} refused the key (unauthorized): the first key of MERCHANT_API_KEY must be one of the server's.`;
  }
  return `${data.detail ?? data.title} (${data.code}, request ${data.request_id})`;
}

/** Why a request got no answer, without its address. */
export function reasonOf(error: unknown): string {
  const { name, code, cause } = (error ?? {}) as { name?: string; code?: string; cause?: { code?: string } };
  if (name === 'TimeoutError') return 'no answer in time';
  return cause?.code ?? code ?? 'no connection';
}
