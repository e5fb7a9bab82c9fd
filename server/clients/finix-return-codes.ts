/**
 * Where the ACH return code of a Transfer may be. Finix does not publish its place, so every place that is Finix's own
 * is read. Tags are the merchant's own as well: a table or a size can be called R10, and must not end a connection.
 */

/** A tag whose value has a return code in it. */
export interface TagCode {
  key: string;
  code: string;
}

interface Tagged {
  tagCodes: readonly TagCode[];
}

/** As a word of its own: `R01`, `ReasonCode: R03`; never the middle of an id. */
const RETURN_CODE = /(?<![A-Za-z0-9])R\d{2}(?![A-Za-z0-9])/;
/** The same where no one but Finix and its processor writes. */
const IN_ANY_CASE = new RegExp(RETURN_CODE, 'i');

/** The first code in these places of Finix's own, in their order. */
export function firstCode(places: unknown[], pattern = IN_ANY_CASE): string | null {
  for (const place of places) {
    for (const part of textsIn(place)) {
      const code = pattern.exec(part)?.[0];
      if (code !== undefined) return code.toUpperCase();
    }
  }
  return null;
}

/** Finix takes at most 50 tags, with keys of 40 characters. */
const MAX_TAGS = 50;
const MAX_KEY = 64;

export function tagCodesIn(tags: Record<string, unknown> | null | undefined): TagCode[] {
  return Object.entries(tags ?? {})
    .slice(0, MAX_TAGS)
    .flatMap(([key, value]) => {
      const code = key.length <= MAX_KEY ? firstCode([value], RETURN_CODE) : null;
      return code === null ? [] : [{ key, code }];
    });
}

/**
 * `return_code`, `achReturnReason`, `Reason Code`, `code`, `ach`; not `promo_code`, `return_address` or `coach`. In
 * small letters, without what separates the words.
 */
const NAMED_FOR_RETURNS =
  /^(?:(?:finix|bank|ach|nacha)*(?:returned|returns|return|failure|rejection|rejected|reject|decline|reason|code|rcode)+(?:message|description)?|ach|nacha|r)$/;

/**
 * The code in a tag that is named for it.
 * @param parent of a Transfer that Finix makes: a tag that both have is the merchant's
 */
export function namedTagCode(transfer: Tagged, parent?: Tagged): string | null {
  const named = ownTags(transfer, parent).find(({ key }) => NAMED_FOR_RETURNS.test(plain(key)));
  return named?.code ?? null;
}

/** The code in any tag: of a Transfer that Finix makes, whose tags are Finix's but for those of its parent. */
export function anyTagCode(transfer: Tagged, parent?: Tagged): string | null {
  return ownTags(transfer, parent)[0]?.code ?? null;
}

function ownTags({ tagCodes }: Tagged, parent: Tagged | undefined): TagCode[] {
  return tagCodes.filter(({ key, code }) => !parent?.tagCodes.some((tag) => tag.key === key && tag.code === code));
}

function plain(key: string): string {
  return key.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** Deep enough for `raw`, and an end for what is built to have none. */
const MAX_DEPTH = 4;

function textsIn(value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return [value];
  if (value === null || typeof value !== 'object' || depth >= MAX_DEPTH) return [];
  return Object.values(value).flatMap((inner) => textsIn(inner, depth + 1));
}
