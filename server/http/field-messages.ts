import type { z } from 'zod';
import type { FieldError } from '../../widget/contract.ts';
import { ProblemError } from '../errors.ts';

/** Nouns for the types of a schema, as JSON has them. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** Formats of a schema that has no message of its own. */
const FORMATS: Readonly<Record<string, string>> = {
  datetime: 'an ISO 8601 time, such as 2026-11-24T12:00:00Z',
  date: 'a date, such as 2026-11-24',
  email: 'an email address',
  url: 'an address, such as https://shop.example/checkout',
};

/**
 * What is wrong with a field, as the rest of a sentence that begins with its name. Messages of the schemas win; zod's
 * own words are a validator's.
 * @returns undefined where zod's own message is as good
 */
export function messageOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is required';
      return `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${listOf(issue.values.map((value) => JSON.stringify(value)))}`;
    case 'invalid_format':
      return FORMATS[issue.format] && `must be ${FORMATS[issue.format]}`;
    case 'too_small':
      if (issue.origin === 'string') {
        return issue.minimum === 1 ? 'must not be empty' : `must have at least ${issue.minimum} characters`;
      }
      if (issue.origin === 'array') return `must have at least ${count(issue.minimum, 'entry', 'entries')}`;
      return `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
    case 'too_big':
      if (issue.origin === 'string') return `must have at most ${count(issue.maximum, 'character', 'characters')}`;
      if (issue.origin === 'array') return `must have at most ${count(issue.maximum, 'entry', 'entries')}`;
      return `must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`;
    default:
      return undefined;
  }
}

function listOf(values: string[]): string {
  const last = values.at(-1) ?? '';
  return values.length > 1 ? `${values.slice(0, -1).join(', ')} or ${last}` : last;
}

function count(number: number | bigint, one: string, more: string): string {
  return `${number} ${number === 1 ? one : more}`;
}

/** Enough to repair a request; an answer must never be larger than what it answers. */
export const MAX_ERRORS = 19;

/**
 * Parses a body, or names the fields that are wrong.
 * @throws ProblemError `invalid_request` with one entry for each wrong field
 */
export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value, { error: messageOf });
  if (result.success) return result.data;
  const all = result.error.issues.flatMap(fieldErrors);
  const errors = all.slice(0, MAX_ERRORS);
  if (all.length > MAX_ERRORS) errors.push({ path: '', message: `has ${all.length - MAX_ERRORS} more errors` });
  throw new ProblemError('invalid_request', { errors });
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  return issue.keys.map((key) => ({ path: path ? `${path}.${key}` : key, message: 'is not a field of this request' }));
}
