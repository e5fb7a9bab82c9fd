import { describe, expect, it } from 'vitest';
import { flowError } from '../../../widget/errors.ts';
import { answer, type Loose, play } from '../helpers/flow.ts';
import { session } from '../helpers/simulated-backend.ts';

function problem(code: 'authorization_required') {
  return {
    type: 'about:blank',
    title: '',
    status: 409,
    detail: '',
    code,
    retryable: true,
    action: 'retry' as const,
    request_id: 'req_1',
  };
}

describe('a page that was left in the middle', () => {
  const start: Loose = { type: 'start', known: false, renewable: true };

  it('goes on with Link when the bank sends the customer back', () => {
    const back = play([start, { type: 'return' }]);
    expect(back.status).toBe('returning');
    expect(back.names).toEqual(['resume']);
    const open = play([{ type: 'prepared' }], back.state);
    expect([open.status, open.names]).toEqual(['open', ['open']]);
  });

  it('the flow shows what went wrong when Link can’t go on, and the next attempt is a fresh one', () => {
    const blocked = { type: 'prepare_failed', error: flowError('script_blocked', 'retry') } as Loose;
    const failed = play([start, { type: 'return' }, blocked]);
    expect(failed.status).toBe('blocked');
    expect(play([{ type: 'act' }], failed.state).names).toEqual(['prepare']);
  });

  it('asks the server what came of a Hosted Link', () => {
    const back = play([{ ...start, known: true, returning: true, hosted: true } as Loose]);
    expect([back.status, back.names]).toEqual(['returning', ['read']]);
    expect(play([{ type: 'answered', ...answer('completed', ['active']) }], back.state).status).toBe('connected');
  });

  it('asks three more times where Plaid has yet to report how a Hosted Link went', () => {
    const open: Loose = { type: 'answered', ...answer('open') };
    let flow = play([{ ...start, known: true, returning: true, hosted: true } as Loose]);
    for (let again = 0; again < 3; again++) {
      flow = play([open], flow.state);
      expect([flow.status, flow.names]).toEqual(['returning', ['read']]);
    }
    expect(play([open], flow.state).state.phase).toBe('rest');
  });
});

describe('a Hosted Link', () => {
  const hosted: Loose[] = [
    { type: 'start', known: false, renewable: true },
    { type: 'warm' },
    { type: 'prepared', hosted: true },
    { type: 'press' },
  ];

  it('is over when the session goes on', () => {
    const { names, status } = play([...hosted, { type: 'link_moved' }]);
    expect(names.slice(-2)).toEqual(['close', 'read']);
    expect(status).toBe('connecting');
  });

  it('can still be over after its window was closed', () => {
    const left = play([...hosted, { type: 'link_exited', error: null, step: 'hosted', fresh: false }]);
    expect(left.status).toBe('ready');
    expect(play([{ type: 'link_moved' }], left.state).status).toBe('connecting');
  });

  it('lets the customer answer what the server asks, without a public token', () => {
    const authorization = { text: 't', version: '1', text_sha256: 'a' };
    const asking = session('open');
    asking.error = { ...problem('authorization_required'), authorization };
    const asked = play([...hosted, { type: 'link_moved' }, { type: 'answered', session: asking, retryAfter: 2 }]);
    expect(asked.state.phase).toBe('authorizing');
    const { effects } = play([{ type: 'accept' }], asked.state);
    expect(effects.at(-1)).toMatchObject({
      submission: { public_token: 'hosted', authorization: { accepted: true, text_sha256: 'a' } },
    });
  });

  describe('of a session with a text', () => {
    const authorization = { text: 't', version: '1', text_sha256: 'a' };
    const start: Loose[] = [{ type: 'start', known: false, renewable: true }, { type: 'warm' }];
    const asked = play([...start, { type: 'prepared', hosted: true, authorization }, { type: 'press' }]);

    it('asks before it opens, and opens once the answer went with a new link token', () => {
      expect([asked.state.phase, asked.state.authorization]).toEqual(['authorizing', authorization]);
      expect(asked.names).not.toContain('open');
      const accepted = play([{ type: 'accept' }], asked.state);
      expect(accepted.effects).toMatchObject([
        { type: 'prepare', agreed: { authorization: { accepted: true, text_sha256: 'a' }, hosted: false } },
      ]);
      const { names, status } = play([{ type: 'prepared', hosted: true }], accepted.state);
      expect([names, status]).toEqual([['open'], 'open']);
    });

    it('asks too where the press came before Link was prepared', () => {
      const early = play([...start, { type: 'press' }, { type: 'prepared', hosted: true, authorization }]);
      expect([early.state.phase, early.names.includes('open')]).toEqual(['authorizing', false]);
    });

    it('asks again after a no, and after an answer that did not arrive', () => {
      const declined = play([{ type: 'decline' }, { type: 'prepared', hosted: true, authorization }], asked.state);
      expect([declined.status, declined.names]).toEqual(['ready', ['emit canceled', 'prepare']]);
      expect(play([{ type: 'press' }], declined.state).state.phase).toBe('authorizing');
      const lost = { type: 'prepare_failed', error: flowError('network_failed', 'retry') } as Loose;
      const failed = play([{ type: 'accept' }, lost, { type: 'act' }], asked.state);
      expect(failed.effects.at(-1)).not.toHaveProperty('agreed');
      expect(play([{ type: 'prepared', hosted: true, authorization }], failed.state).state.phase).toBe('authorizing');
    });
  });

  it('that is offered where Link’s script is blocked asks for the text too, and opens with the answer', () => {
    const authorization = { text: 't', version: '1', text_sha256: 'a' };
    const blocked = { type: 'prepare_failed', error: flowError('script_blocked', 'retry') } as Loose;
    const start: Loose[] = [{ type: 'start', known: false, renewable: true }, { type: 'warm' }, blocked];
    const asked = play([...start, { type: 'hosted_offered', authorization }, { type: 'press_hosted' }]);
    expect([asked.state.phase, asked.names.includes('open')]).toEqual(['authorizing', false]);
    const accepted = play([{ type: 'accept' }], asked.state);
    expect(accepted.effects).toMatchObject([{ type: 'prepare', agreed: { hosted: true } }]);
    expect(play([{ type: 'prepared', hosted: true }], accepted.state).names).toEqual(['open']);
    // Back to what the merchant has asked for.
    expect(play([{ type: 'decline' }], asked.state).effects.at(-1)).not.toHaveProperty('agreed');
  });

  it('a Hosted Link is offered where Link’s script is blocked, with a retry', () => {
    const blocked = { type: 'prepare_failed', error: flowError('script_blocked', 'retry') } as Loose;
    const failed = play([{ type: 'start', known: false, renewable: true }, { type: 'warm' }, blocked]);
    expect(failed.names).toContain('offer_hosted');
    const offered = play([{ type: 'hosted_offered' }], failed.state);
    expect(offered.status).toBe('blocked');
    expect(play([{ type: 'press_hosted' }], offered.state).names).toEqual(['open']);
    expect(play([{ type: 'act' }], offered.state).names).toEqual(['prepare']);
    const again = play([{ type: 'expiring' }, blocked], offered.state);
    expect([again.names.at(-1), again.state.hosted]).toEqual(['offer_hosted', false]);
  });
});

describe('the embedded search', () => {
  const ready: Loose[] = [
    { type: 'start', known: false, renewable: true },
    { type: 'warm' },
    { type: 'prepared', embedded: true },
  ];

  it('the embedded search is opened by the customer, with an event', () => {
    const { status, names } = play([...ready, { type: 'link_opened' }]);
    expect([status, names.at(-1)]).toEqual(['open', 'emit open']);
  });

  it('can’t be opened from outside', () => {
    expect(play([...ready, { type: 'press' }, { type: 'link_busy' }]).status).toBe('ready');
  });
});
