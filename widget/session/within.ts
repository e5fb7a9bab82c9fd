/**
 * What a piece of work comes to, where it comes in time.
 * @throws what `overdue` gives, where it takes longer than `limit` milliseconds
 */
export async function within<T>(limit: number, work: Promise<T>, overdue: () => unknown): Promise<T> {
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
