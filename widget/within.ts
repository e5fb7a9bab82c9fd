// A slow 3G line brings 40 kB in this time; after it, a sentence and a button serve the customer better.
const PATIENCE = 15_000;

/**
 * What a piece of work comes to, where it comes in time: a connection that has died reports nothing.
 * @throws what `overdue` gives, where it takes longer than `limit` milliseconds
 */
export async function within<T>(
  work: Promise<T>,
  limit = PATIENCE,
  overdue: () => unknown = () => new Error(`No answer within ${limit / 1000} s`),
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(overdue()), limit);
  });
  try {
    return await Promise.race([late, work]);
  } finally {
    clearTimeout(timer);
  }
}
