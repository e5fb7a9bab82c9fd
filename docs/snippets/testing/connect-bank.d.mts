import type { Page } from 'playwright-core';

export function connectBank(page: Page, username?: string): Promise<void>;
