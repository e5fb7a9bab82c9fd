import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { patient } from '../helpers/patience.mjs';
import { OPERATIONS } from './inputs.ts';
import { type Answered, judge, judgeLog } from './judge.ts';
import { runFuzz } from './run.ts';
import { createWorld, type World } from './world.ts';

/** The whole form is `npm run test:fuzz`. The same seed each time: what fails here fails on every machine. */
const SEED = 20_261_126;
const COUNT = 800;

describe('in short', () => {
  it('the fuzz suite finds no 5xx, hang, secret or exception, and a third of its inputs reach a handler', {
    timeout: patient(120_000),
  }, async () => {
    const { faults, inputs, reached, operations } = await runFuzz({ seed: SEED, count: COUNT });
    expect(faults.map(({ index, kind, detail, input }) => `${index} ${input.operation} ${kind} ${detail}`)).toEqual([]);
    expect(reached / inputs).toBeGreaterThan(1 / 3);
    // Each of them, or a route could be left out by a name that has changed.
    expect([...operations.keys()].sort()).toEqual([...OPERATIONS].sort());
  });
});

describe('in control', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.close());

  const input = { operation: 'getSession', method: 'GET', path: '/', headers: {}, body: undefined };
  const answer = (status: number, text: string): Answered => ({
    status,
    text,
    headers: new Headers({ 'X-Request-Id': 'req_1', 'Content-Type': 'application/json' }),
  });
  const problem = (more: object) =>
    JSON.stringify({
      type: 't',
      title: 't',
      status: 422,
      detail: 'd',
      code: 'invalid_request',
      retryable: false,
      ...more,
    });

  it.each([
    ['a 5xx', answer(500, problem({ action: 'retry', request_id: 'req_1' })), '5xx'],
    ['an access token', answer(200, '{"token":"access-sandbox-0123-4567"}'), 'secret'],
    ['a client secret', answer(200, `{"x":"ses_1_secret_${'a'.repeat(43)}"}`), 'secret'],
    ['an error that is no problem', answer(400, 'Bad Request'), 'shape'],
    [
      'more than twenty errors',
      answer(422, problem({ action: 'retry', request_id: 'r', errors: Array(21).fill({ path: 'a', message: 'b' }) })),
      'shape',
    ],
  ])('the fuzz suite finds %s in an answer', (_name, answered, kind) => {
    expect(judge(world, input, answered).map((fault) => fault.kind)).toContain(kind);
  });

  it('the fuzz suite finds a token and an unexpected error in the log', () => {
    judgeLog(world);
    world.server.lines.push('{"msg":"public-sandbox-01234567-89"}', '{"msg":"unexpected error in a request"}');
    expect(judgeLog(world).map(({ kind }) => kind)).toEqual(['secret', 'exception']);
  });

  it('the fuzz suite finds nothing in a right answer', () => {
    expect(judge(world, input, answer(200, '{}'))).toEqual([]);
  });
});
