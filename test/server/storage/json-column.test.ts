import { describe, expect, it } from 'vitest';
import { readIdentity, readMetadata, readProblem, readReceipt } from '../../../server/records/columns.ts';

describe('a column that holds JSON', () => {
  it('a column that holds JSON is read as the type that was written', () => {
    const receipt = {
      text: 'I agree.',
      version: '1',
      text_sha256: 'ab'.repeat(32),
      language: 'en',
      accepted_at: '2026-01-01T00:00:00.000Z',
      ip: null,
      user_agent: null,
    };
    expect(readReceipt(JSON.stringify(receipt))).toEqual(receipt);
    expect(readMetadata('{"order":"1"}')).toEqual({ order: '1' });
  });

  it.each([
    [() => readMetadata('{"order":4711}'), 'Unexpected JSON in metadata: order.'],
    [() => readMetadata('["Ada"]'), 'Unexpected JSON in metadata: the value.'],
    [() => readMetadata('Ada'), 'Unexpected text in metadata: not JSON.'],
    [
      () => readIdentity('{"personal_address":{"city":["Ada"]}}'),
      'Unexpected JSON in sessions.identity_enc: personal_address.city.',
    ],
  ])(
    'a column that holds JSON of another shape is an error that names the column and its members, and never their values',
    (read, message) => {
      expect(read).toThrow(new Error(message));
    },
  );

  it('a column that holds JSON may name a problem that only a newer version knows', () => {
    const stored = JSON.stringify({ code: 'moon_phase', action: 'look_up', request_id: 'req_1' });
    expect(readProblem(stored)).toEqual({ code: 'internal_error', request_id: 'req_1' });
  });
});
