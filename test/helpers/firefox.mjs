// Firefox for the element's tests, where the machine has it: the one FIREFOX_PATH names, or an installed one. None
// comes from npm. Plain JavaScript because web-test-runner's configuration imports it in Node as it is.
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

// The oldest with custom element states as `:state()`, which the element's tests rely on.
const OLDEST_MAJOR = 126;

/**
 * Given to every launch: they keep the browser, like the tests, on this machine, and let every page believe that it is
 * the one in front.
 */
export const firefoxPrefs = {
  // Port 9 of this machine never answers; Firefox never sends what is meant for loopback there.
  'network.proxy.type': 1,
  'network.proxy.http': '127.0.0.1',
  'network.proxy.http_port': 9,
  'network.proxy.ssl': '127.0.0.1',
  'network.proxy.ssl_port': 9,
  // Several test pages run at once, and only one of them could have the focus.
  'focusmanager.testmode': true,
};

/** The executable, or null where there is none. */
export async function findFirefox() {
  const named = process.env.FIREFOX_PATH;
  if (named) {
    await access(named, constants.X_OK).catch(() => {
      throw new Error(`FIREFOX_PATH is "${named}", which is not an executable file.`);
    });
    return named;
  }
  for (const path of systemPlaces()) if (await works(path)) return path;
  return null;
}

function systemPlaces() {
  if (process.platform === 'darwin') return ['/Applications/Firefox.app/Contents/MacOS/firefox'];
  // There `--version` answers nothing, so what is found could not be trusted; FIREFOX_PATH can name it.
  if (process.platform === 'win32') return [];
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return ['firefox', 'firefox-esr'].flatMap((name) => folders.map((folder) => join(folder, name)));
}

async function works(path) {
  try {
    // Ubuntu's firefox can be a script that only recommends a snap, so being there is no proof.
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 10_000 });
    return Number(/Firefox (\d+)\./.exec(stdout)?.[1] ?? 0) >= OLDEST_MAJOR;
  } catch {
    return false;
  }
}
