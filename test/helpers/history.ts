import { afterEach } from 'vitest';
import { openStorage, type Storage } from '../../server/storage/open.ts';

/** When it is detected that the database lost commits, by the test's clock. */
export const NOW = 1_700_000_000_000;
export const now = async () => NOW;

/** As a server does at its start and each minute. */
export async function checkedTwice(storage: Storage): Promise<number> {
  await storage.history.check(now);
  return storage.history.check(now);
}

/** @returns opens a storage that is closed after the test, and what else is done then, the last first */
export function openedStorages() {
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  });
  async function opened(options: Parameters<typeof openStorage>[0]): Promise<Storage> {
    const storage = await openStorage(options);
    cleanUp.push(() => storage.close());
    return storage;
  }
  return { cleanUp, opened };
}
