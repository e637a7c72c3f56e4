// Runs on whatever Node the machine has, with nothing installed: it installs the npm packages, among them the pinned Node, and hands
// over to the stack tool on that Node.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) fail(`Node.js ${process.versions.node} is too old; install version 20.19 or newer.`);

if (!packagesInstalled()) {
  process.stderr.write('Installing npm packages; the first time takes about a minute …\n');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (npm.error !== undefined) fail('npm is missing; it comes with Node.js.');
  if (npm.status !== 0) fail('npm ci failed; its output is above.');
}

const node = join(root, 'node_modules', '.bin', 'node');
// kafkajs 2.2 sets a timer in the past now and then, which Node 24 tells on every command's screen.
const quiet = ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'];
const child = spawn(node, ['--conditions=@millrace/source', ...quiet, join(root, 'tools', 'stack', 'src', 'main.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH ?? ''}` },
});
// Ctrl-C reaches the whole process group by itself; a SIGTERM is sent to this process alone.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));

function packagesInstalled() {
  const installedPath = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedPath)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedPath, 'utf8')).packages;
  return Object.entries(wanted).every(([path, { version, optional, link }]) => {
    if (!path.includes('node_modules/') || optional) return true;
    // A workspace that came with a pull has a link to make.
    return link ? existsSync(join(root, path)) : installed[path]?.version === version;
  });
}

function fail(message) {
  process.stderr.write(`millrace: ${message}\n`);
  process.exit(1);
}
