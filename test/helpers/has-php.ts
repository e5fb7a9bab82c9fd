import { spawnSync } from 'node:child_process';

/** Whether there is a PHP that can send requests: some systems have its curl extension as a package of its own. */
export const hasPhp = spawnSync('php', ['-r', "exit(function_exists('curl_init') ? 0 : 1);"]).status === 0;
