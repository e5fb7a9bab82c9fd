import type { z } from 'zod';

/**
 * Reads a column that holds JSON. What does not have the schema's shape was not written by this program: the error
 * names the column and the members, never their values, which may be personal.
 */
export function jsonColumn<T>(column: string, schema: z.ZodType<T>): (json: string) => T {
  return (json) => {
    const result = schema.safeParse(parse(json, column));
    if (result.success) return result.data;
    const members = result.error.issues.map(({ path }) => path.join('.') || 'the value').join(', ');
    throw new Error(`Unexpected JSON in ${column}: ${members}.`);
  };
}

function parse(json: string, column: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new Error(`Unexpected text in ${column}: not JSON.`);
  }
}
