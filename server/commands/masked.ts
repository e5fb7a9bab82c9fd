/** Fields whose value opens something or names an account, at any depth. */
const SECRET_FIELD = /token$|secret|password|^(account|routing|wire_routing)(_number)?$|^number$/i;
/** Enough of a token to see its kind and environment. */
const SHOWN = /^(?:access|public|link|processor)-(?:sandbox|production)-/;

/** A copy for people to read, without secrets: of a token, its kind is left. */
export function masked(value: unknown, field = ''): unknown {
  if (typeof value === 'string') {
    const kind = SHOWN.exec(value)?.[0];
    if (kind !== undefined) return `${kind}…`;
    return SECRET_FIELD.test(field) ? '…' : value;
  }
  if (Array.isArray(value)) return value.map((entry) => masked(entry, field));
  if (typeof value !== 'object' || value === null) return SECRET_FIELD.test(field) && value !== null ? '…' : value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, masked(inner, name)]));
}
