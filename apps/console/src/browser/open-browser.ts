import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

/** Where systems install a Chromium. */
const installed = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** The browser of this machine; undefined where the one of npm is needed. */
function findInstalled(): string | undefined {
  return installed.find((path) => existsSync(path));
}

/** Whether there is a browser for this machine. The one of npm runs on Linux with x64 only. */
export function hasBrowser(): boolean {
  return findInstalled() !== undefined || (process.platform === 'linux' && process.arch === 'x64');
}

/** Starts the browser of this machine, or the one that npm carries. */
export async function openBrowser(): Promise<Browser> {
  const path = findInstalled();
  if (path !== undefined) return await launch(path);
  // A container may have no font at all. The package brings one.
  process.env['FONTCONFIG_PATH'] ??= existsSync('/etc/fonts') ? '/etc/fonts' : join(tmpdir(), 'fonts');
  const { default: carried } = await import('@sparticuz/chromium');
  try {
    return await launch(await carried.executablePath());
  } catch {
    // The package unpacks the shared libraries that a bare system lacks only where it finds this variable.
    process.env['AWS_LAMBDA_JS_RUNTIME'] = 'nodejs22.x';
    process.env['LD_LIBRARY_PATH'] = [join(tmpdir(), 'al2023', 'lib'), process.env['LD_LIBRARY_PATH']].filter(Boolean).join(':');
    return await launch(await carried.executablePath());
  }
}

async function launch(executablePath: string): Promise<Browser> {
  // Containers run as root, where Chromium has no sandbox. The pages are our own.
  return await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--font-render-hinting=none'] });
}
