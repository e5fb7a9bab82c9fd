import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CreatePublicSessionRequest } from '../../../widget/contract.ts';
import { createPublicAgain } from '../../../widget/detour/public-session.ts';
import { refuseSecret } from '../../../widget/detour/secret-report.ts';
import { createPublicSession } from '../../../widget/session/session-access.ts';
import { refusal, SimulatedBackend } from '../helpers/simulated-backend.ts';

const longName = 'Wolfeschlegelsteinhause';
const identity = { first_name: longName, last_name: 'Byron', email: 'ada@example.com' };

describe('a public session', () => {
  let backend: SimulatedBackend;
  let warnings: string[];

  beforeEach(() => {
    backend = new SimulatedBackend();
    warnings = [];
    vi.spyOn(console, 'warn').mockImplementation((text: string) => void warnings.push(text));
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const create = (input: CreatePublicSessionRequest) =>
    createPublicSession(backend, input, { load: async () => ({ createPublicAgain, refuseSecret }) });
  const refuse = (...fields: string[]) =>
    backend.publicSessionErrors.push(
      refusal({
        code: 'invalid_request',
        action: 'contact_merchant',
        errors: fields.map((path) => ({ path, message: 'must have at most 20 characters' })),
      }),
    );
  const asked = () => backend.calls.map((call) => JSON.parse(call.replace('createPublicSession ', '')));

  it('goes on without what the server refused of the person, and names the attribute once, not its value', async () => {
    refuse('identity.first_name');
    expect(await create({ language: 'de', identity })).toBe('ses_public1_secret_abc');
    expect(asked()[1]).toEqual({ language: 'de', identity: { last_name: 'Byron', email: 'ada@example.com' } });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('first-name');
    expect(warnings[0]).not.toMatch(new RegExp(`${longName}|last-name|email`));
  });

  it('a public session goes on without the person where the server does not return one', async () => {
    refuse();
    await create({ language: 'de', identity });
    expect(asked()[1]).toEqual({ language: 'de' });
    expect(warnings[0]).toContain('first-name, last-name, email');
  });

  it('is asked for twice at most', async () => {
    refuse('identity.email');
    refuse('identity.last_name');
    await expect(create({ identity })).rejects.toMatchObject({ code: 'invalid_request' });
    expect(asked()).toHaveLength(2);
  });

  it('is not asked for again when something else was wrong', async () => {
    refuse('language');
    await expect(create({ identity })).rejects.toMatchObject({ code: 'invalid_request' });
    backend.publicSessionErrors.push(refusal({ code: 'rate_limited', action: 'wait' }));
    await expect(create({ identity })).rejects.toMatchObject({ code: 'rate_limited' });
    refuse();
    await expect(create({})).rejects.toMatchObject({ code: 'invalid_request' });
    expect(asked()).toHaveLength(3);
    expect(warnings).toEqual([]);
  });

  it('is refused only after a while where there are none, so that the page’s own secret can come in the meantime', async () => {
    vi.useFakeTimers();
    backend.publicSessionErrors.push(refusal({ code: 'public_sessions_off', action: 'contact_merchant' }));
    let refused: unknown;
    void create({}).catch((error: unknown) => {
      refused = error;
    });
    await vi.advanceTimersByTimeAsync(1_900);
    expect(refused).toBeUndefined();
    await vi.advanceTimersByTimeAsync(200);
    vi.useRealTimers();
    expect(refused).toMatchObject({ code: 'public_sessions_off' });
    expect(asked()).toHaveLength(1);
  });

  it('stays refused where the code that leaves something out can not be fetched', async () => {
    refuse('identity.email');
    const detours = { load: () => Promise.reject(new TypeError('Failed to fetch dynamically imported module')) };
    await expect(createPublicSession(backend, { identity }, detours)).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(asked()).toHaveLength(1);
  });
});
