/** The bytes of bodies that are held at one moment for callers who have proved nothing yet. */
export interface BodyMemory {
  /** @returns false when these bytes would be too many, of all or of this caller */
  take(caller: string, bytes: number): boolean;
  give(caller: string, bytes: number): void;
}

/** A fraction of the smallest usual container, whose 512 MB also hold the server itself. */
const MOST_BYTES = 32 * 1024 * 1024;
/** Eight callers share it at the worst. A provider's webhook has a few kilobytes. */
const MOST_OF_ONE = 4 * 1024 * 1024;

export function createBodyMemory({ all = MOST_BYTES, one = MOST_OF_ONE } = {}): BodyMemory {
  let held = 0;
  const heldFor = new Map<string, number>();
  return {
    take(caller, bytes) {
      const own = (heldFor.get(caller) ?? 0) + bytes;
      if (held + bytes > all || own > one) return false;
      held += bytes;
      heldFor.set(caller, own);
      return true;
    },
    give(caller, bytes) {
      held -= bytes;
      const own = (heldFor.get(caller) ?? 0) - bytes;
      if (own > 0) heldFor.set(caller, own);
      else heldFor.delete(caller);
    },
  };
}
