/**
 * The JSON of a provider, as both databases can store it: PostgreSQL refuses a text with NUL, and one such text would
 * fail the whole statement that it is part of.
 * @returns undefined when it is not JSON
 */
export function parseProviderJson(text: string): unknown {
  try {
    const json: unknown = JSON.parse(text);
    // JSON writes NUL in this way alone, so an ordinary text is not walked through.
    return text.includes('\\u0000') ? withoutNul(json) : json;
  } catch {
    return undefined;
  }
}

/** A copy of a parsed body whose texts, the names of its members included, have no NUL. */
export function withoutNul(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '');
  if (Array.isArray(value)) return value.map(withoutNul);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [String(withoutNul(name)), withoutNul(member)]),
  );
}

/** A time as a provider writes it, in milliseconds since 1970; null where there is none that can be read. */
export function timeOf(text: string | null | undefined): number | null {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? null : ms;
}
