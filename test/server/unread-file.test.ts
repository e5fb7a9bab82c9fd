import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeFailure } from '../../server/commands/command.ts';
import { ConfigError, loadConfig } from '../../server/config.ts';
import { testEnvironment } from '../helpers/server.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fbc-unread-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What a server prints that is started without a setting, in a folder whose `.env` has this text. */
async function expectMessageWith(file: string | null, missing = 'PLAID_SECRET'): Promise<string> {
  if (file !== null) await writeFile(join(folder, '.env'), file);
  try {
    loadConfig(testEnvironment({ [missing]: undefined }));
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return describeFailure(error, folder).message;
  }
  throw new Error('The settings were accepted.');
}

it.each(['PLAID_SECRET=a-secret-of-plaid', 'PORT=3000\nexport PLAID_SECRET="a-secret-of-plaid"\n'])(
  'a missing setting that .env has is reported with the command that loads the file: %j',
  async (file) => {
    const message = await expectMessageWith(file);
    expect(message).toContain('PLAID_SECRET is missing');
    expect(message).toMatch(/`\.env` .* run `set -a; \. \.\/\.env; set \+a` first\.$/);
    expect(message).not.toContain('a-secret-of-plaid');
  },
);

it.each([null, '', 'PLAID_SECRET=\n', '# PLAID_SECRET=a-secret\n', 'OTHER_PLAID_SECRET=a-secret\n'])(
  'a missing setting that .env does not have is reported without that command: %j',
  async (file) => {
    expect(await expectMessageWith(file)).not.toContain('.env');
  },
);

it('another failure is reported without that command, also where .env has a setting', async () => {
  await writeFile(join(folder, '.env'), 'PLAID_SECRET=a-secret\n');
  expect(describeFailure(new Error('Plaid is down'), folder).message).not.toContain('.env');
});
