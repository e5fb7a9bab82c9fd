// A browser for the tests wherever they run: the one CHROME_PATH names, an installed one, or the one that an npm
// package brings. Plain JavaScript because web-test-runner's configuration imports it in Node as it is.
import { execFile } from 'node:child_process';
import { constants, createReadStream, createWriteStream, existsSync, readdirSync } from 'node:fs';
import { access, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createBrotliDecompress } from 'node:zlib';
import { extract } from 'tar-stream';

// The oldest Chromium with custom element states as `:state()`, which the element's tests rely on.
const OLDEST_MAJOR = 125;

const CURRENT_PACKAGE = '@sparticuz/chromium';
// A year of browsers below `light-dark()`, `color-mix()` and `:state()`: what the support floor promises is tested in
// it.
const OLD_PACKAGE = 'chromium-109';

// A process that unpacks takes seconds; what is this old was left behind by one that was stopped.
const ABANDONED_AFTER_MS = 10 * 60 * 1000;

export const chromiumArgs = [
  // Containers and CI run as root, where Chromium's sandbox refuses to start; only our own pages are ever opened.
  '--no-sandbox',
  '--disable-setuid-sandbox',
  // Docker gives /dev/shm 64 MB, which a single page can fill.
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--disable-sync',
  '--no-pings',
  // No page may depend on the outside; names that mean this machine still resolve.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]',
];

/**
 * Pages of the browser's own address bar, which an installed Chromium loads for every context: half a second of one
 * core for each test.
 */
export const unusedChromiumFeatures = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup', 'WebUIOmniboxFullPopup'];

export async function findChromium(wanted = process.env.FBC_BROWSER) {
  if (wanted && wanted !== 'system' && wanted !== 'packaged') {
    throw new Error(`FBC_BROWSER is "${wanted}"; it can be "system" or "packaged".`);
  }
  if (!wanted && process.env.CHROME_PATH) {
    await access(process.env.CHROME_PATH, constants.X_OK).catch(() => {
      throw new Error(`CHROME_PATH is "${process.env.CHROME_PATH}", which is not an executable file.`);
    });
    return { path: process.env.CHROME_PATH, env: {}, source: 'CHROME_PATH' };
  }
  if (wanted !== 'packaged') {
    for (const path of systemPlaces()) if (await works(path)) return { path, env: {}, source: 'system' };
    if (wanted === 'system') throw new Error(`There is no installed Chromium or Chrome, ${OLDEST_MAJOR} or newer.`);
  }
  if (!canRunPackaged()) {
    throw new Error(
      `No Chromium or Chrome (${OLDEST_MAJOR} or newer) was found, and the packaged one runs on 64-bit Intel Linux with glibc only. ` +
        'Install Chrome or Chromium, or name its executable in CHROME_PATH.',
    );
  }
  return packaged(CURRENT_PACKAGE);
}

export async function findOldChromium() {
  const path = process.env.OLD_CHROME_PATH;
  if (path) {
    await access(path, constants.X_OK).catch(() => {
      throw new Error(`OLD_CHROME_PATH is "${path}", which is not an executable file.`);
    });
    return { path, env: {}, source: 'OLD_CHROME_PATH' };
  }
  return canRunPackaged() ? packaged(OLD_PACKAGE) : null;
}

async function packaged(packageName) {
  const folder = await unpack(packageName);
  const libraries = [join(folder, 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
  return {
    path: join(folder, 'chromium'),
    env: { LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: folder, FONTCONFIG_FILE: join(folder, 'fonts.conf') },
    source: 'packaged',
  };
}

/** @see the declaration for why */
export function prefersPackaged() {
  return !process.env.FBC_BROWSER && !process.env.CHROME_PATH && canRunPackaged();
}

export function hasFonts() {
  const folder = '/usr/share/fonts';
  if (!existsSync('/etc/fonts/fonts.conf') || !existsSync(folder)) return false;
  return readdirSync(folder, { recursive: true }).some((name) => /\.(ttf|ttc|otf)$/.test(name));
}

export function canRunPackaged() {
  const glibc = process.report.getReport().header.glibcVersionRuntime;
  return process.platform === 'linux' && process.arch === 'x64' && Boolean(glibc);
}

function systemPlaces() {
  if (process.platform === 'darwin') {
    const apps = ['Google Chrome', 'Chromium', 'Microsoft Edge'].map((name) => `${name}.app/Contents/MacOS/${name}`);
    return ['/Applications', join(homedir(), 'Applications')].flatMap((folder) => apps.map((app) => join(folder, app)));
  }
  if (process.platform === 'win32') {
    const { PROGRAMFILES, 'PROGRAMFILES(X86)': programFiles86, LOCALAPPDATA } = process.env;
    const apps = ['Google\\Chrome\\Application\\chrome.exe', 'Microsoft\\Edge\\Application\\msedge.exe'];
    return [PROGRAMFILES, programFiles86, LOCALAPPDATA]
      .filter((folder) => folder !== undefined)
      .flatMap((folder) => apps.map((app) => join(folder, app)));
  }
  const names = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser', 'microsoft-edge'];
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name)));
}

async function works(path) {
  if (!existsSync(path)) return false;
  // On Windows `--version` opens a window instead of answering; there the usual place has to be proof enough.
  if (process.platform === 'win32') return true;
  try {
    // Ubuntu's chromium-browser can be a script that only recommends another package, so being there is no proof.
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 10_000 });
    return Number(/(\d+)\.\d+\.\d+/.exec(stdout)?.[1] ?? 0) >= OLDEST_MAJOR;
  } catch {
    return false;
  }
}

/**
 * The package's own way unpacks to fixed names in the shared temporary folder and trusts any file that is there
 * already. Here each process unpacks into a folder of its own and renames that into place when it is complete: what
 * exists is whole, and two at once do no harm.
 */
async function unpack(packageName) {
  const bin = binOf(packageName);
  const cache = fileURLToPath(new URL('../../node_modules/.cache/finix-bank-connect', import.meta.url));
  // The size identifies the version: another build of the browser gets another folder.
  const name = `chromium-${(await stat(join(bin, 'chromium.br'))).size}`;
  const folder = join(cache, name);
  // The old package relies on more of the system's libraries than the current one, so that libraries and fonts come
  // from the current one for both.
  const shared = binOf(CURRENT_PACKAGE);
  if (existsSync(join(folder, 'chromium'))) return folder;

  await mkdir(cache, { recursive: true });
  await removeAbandoned(cache);
  const unfinished = join(cache, `unfinished-${process.pid}-${Date.now()}`);
  await mkdir(unfinished);
  try {
    await Promise.all([
      unbrotli(join(bin, 'chromium.br'), createWriteStream(join(unfinished, 'chromium'), { mode: 0o755 })),
      unpackTar(join(bin, 'swiftshader.tar.br'), unfinished),
      unpackTar(join(shared, 'al2023.tar.br'), unfinished),
      unpackTar(join(shared, 'fonts.tar.br'), unfinished),
    ]);
    await writeFile(join(unfinished, 'fonts.conf'), fontsConf);
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Another process was first: its folder is as good.
    if (!existsSync(join(folder, 'chromium'))) throw error;
  }
  return folder;
}

/** The package's main file is at a depth of its own in each generation. */
function binOf(packageName) {
  const main = createRequire(import.meta.url).resolve(packageName);
  for (let folder = dirname(main); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'bin', 'chromium.br'))) return join(folder, 'bin');
  }
  throw new Error(`The package ${packageName} has no bin/chromium.br.`);
}

// The package's own file looks in fixed temporary folders. The system's fonts come along where there are any, because
// the packaged one is Latin only.
const fontsConf = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <dir>/usr/local/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

async function removeAbandoned(cache) {
  for (const entry of await readdir(cache)) {
    if (!entry.startsWith('unfinished-')) continue;
    const path = join(cache, entry);
    // It may vanish between the two calls, when its owner finishes.
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}

function unbrotli(file, target) {
  return pipeline(createReadStream(file), createBrotliDecompress(), target);
}

async function unpackTar(file, folder) {
  const entries = extract();
  const reading = unbrotli(file, entries);
  for await (const entry of entries) {
    const path = join(folder, entry.header.name);
    if (entry.header.type === 'file' && path.startsWith(folder)) {
      await mkdir(dirname(path), { recursive: true });
      await pipeline(entry, createWriteStream(path, { mode: entry.header.mode }));
    } else {
      entry.resume();
    }
  }
  await reading;
}
