import { connectOperations } from './connect-operations.ts';
import { merchantOperations } from './merchant-operations.ts';
import type { Operation } from './operation.ts';

export * from './operation.ts';

/** Every call, in the order in which one meets them. */
export const operations: Operation[] = [...connectOperations, ...merchantOperations];
