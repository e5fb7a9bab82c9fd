import { createHash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSecrets, SecretsError } from '../../../server/storage/secrets.ts';

const key = () => randomBytes(32).toString('base64');
const where = { table: 'items', row: 'itm_1', column: 'access_token_enc' };

test('a sealed value opens again, for any text', () => {
  const secrets = createSecrets([key()]);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (plain) => {
      expect(secrets.open(secrets.seal(plain, where), where)).toBe(plain);
    }),
  );
});

test('a sealed value shows its key, not its text, and is never the same twice', () => {
  const text = key();
  const secrets = createSecrets([text]);
  const id = createHash('sha256').update(Buffer.from(text, 'base64')).digest('hex').slice(0, 8);
  const sealed = secrets.seal('access-sandbox-1', where);
  expect(sealed).toMatch(new RegExp(`^v1\\.${id}\\.[\\w-]{16}\\.[\\w-]{22}\\.[\\w-]+$`));
  expect(Buffer.from(sealed.split('.')[4] ?? '', 'base64url').toString('latin1')).not.toContain('access');
  expect(secrets.seal('access-sandbox-1', where)).not.toBe(sealed);
});

test.each([
  ['row', { ...where, row: 'itm_2' }],
  ['column', { ...where, column: 'public_token_enc' }],
  ['table', { ...where, table: 'sessions' }],
])('a value that was moved to another %s is refused', (_what, elsewhere) => {
  const secrets = createSecrets([key()]);
  expect(() => secrets.open(secrets.seal('token', where), elsewhere)).toThrow(
    expect.objectContaining({ code: 'refused' }),
  );
});

test.each([2, 3, 4])('a value whose part %i was changed is refused', (part) => {
  const secrets = createSecrets([key()]);
  const parts = secrets.seal('token', where).split('.');
  const bytes = Buffer.from(parts[part] ?? '', 'base64url');
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  parts[part] = bytes.toString('base64url');
  expect(() => secrets.open(parts.join('.'), where)).toThrow(expect.objectContaining({ code: 'refused' }));
});

test.each(['', 'token', 'v1.00000000.a.b.c', 'v2.00000000.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA.AA'])(
  'what is not a sealed value is refused: %j',
  (text) => {
    expect(() => createSecrets([key()]).open(text, where)).toThrow(expect.objectContaining({ code: 'malformed' }));
  },
);

test('the first key seals, later ones only open', () => {
  const [old, fresh] = [key(), key()];
  const before = createSecrets([old]);
  const sealed = before.seal('token', where);
  const after = createSecrets([fresh, old]);
  expect(after.open(sealed, where)).toBe('token');
  expect(after.keyIds).toEqual([after.currentKeyId, before.currentKeyId]);
  expect(after.needsReseal(sealed)).toBe(true);
  expect(after.needsReseal(after.seal('token', where))).toBe(false);
  expect(() => before.open(after.seal('token', where), where)).toThrow(
    expect.objectContaining({ code: 'unknown_key' }),
  );
});

test('a client secret is the same each time, and another for each session and key', () => {
  const secrets = createSecrets([key(), key()]);
  const [first, second] = secrets.keyIds as [string, string];
  const secret = secrets.deriveClientSecret('ses_1', first);
  expect(secret).toMatch(/^[\w-]{43}$/);
  expect(secrets.deriveClientSecret('ses_1', first)).toBe(secret);
  expect(secrets.deriveClientSecret('ses_2', first)).not.toBe(secret);
  expect(secrets.deriveClientSecret('ses_1', second)).not.toBe(secret);
  expect(() => secrets.deriveClientSecret('ses_1', '00000000')).toThrow(SecretsError);
});

test('a client secret stays what it was in earlier versions', () => {
  const secrets = createSecrets([Buffer.alloc(32, 7).toString('base64')]);
  expect(secrets.deriveClientSecret('ses_1', secrets.currentKeyId)).toMatchInlineSnapshot(
    `"5eWibvWAiNUXr-Y65C2MVkd1ZtKVDiClz3licNDtKqM"`,
  );
});

test.each([
  ['none', []],
  ['too short', [randomBytes(16).toString('base64')]],
  ['too long', [randomBytes(33).toString('base64')]],
  ['hexadecimal', [randomBytes(32).toString('hex')]],
  ['not base64', [`${'*'.repeat(43)}=`]],
  ['the same twice', [Buffer.alloc(32, 1).toString('base64'), Buffer.alloc(32, 1).toString('base64')]],
])('bad keys are refused without being repeated: %s', (_what, keys) => {
  const error = attempt(() => createSecrets(keys));
  expect(error).toMatchObject({ name: 'SecretsError', code: 'bad_key' });
  for (const text of keys) expect(inspect(error)).not.toContain(text);
});

test('no error carries a key or a plain value', () => {
  const text = key();
  const secrets = createSecrets([text]);
  const sealed = secrets.seal('plain-value', where);
  const errors = [
    attempt(() => secrets.open(sealed, { ...where, row: 'other' })),
    attempt(() => secrets.open('plain-value', where)),
    attempt(() => createSecrets([key()]).open(sealed, where)),
  ];
  for (const error of errors) {
    expect(error).toBeInstanceOf(SecretsError);
    expect(inspect(error, { showHidden: true })).not.toMatch('plain-value');
    expect(inspect(error, { showHidden: true })).not.toContain(text);
  }
});

function attempt(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
