import { execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root } from '../places.mjs';
import { Terminal } from './terminal.ts';

/** A command's end. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const versions = {
  java: 'openjdk version "17.0.2" 2022-01-18',
  mvn: 'Apache Maven 3.8.7',
  python3: 'Python 3.11.2',
} as const;

// Waits for the file `go` where the test asks for it, as a slow network does.
const npm = `#!/bin/sh
if [ "$1" = --version ]; then echo 10.8.2; exit; fi
echo "$@" >> npm-calls
echo "npm notice New major version of npm available"
if [ -e fail ]; then echo "npm error 404 Not Found" >&2; exit 1; fi
if [ -e slow ]; then while [ ! -e go ]; do sleep 0.05; done; fi
mkdir -p node_modules/.bin
ln -sf "$REAL_NODE" node_modules/.bin/node
cp package-lock.json node_modules/.package-lock.json
`;

/**
 * A small fresh clone. The command and its bootstrap are the real ones; npm, Java, Maven and Python are scripts, and little else is on the
 * PATH.
 */
export class SmallRepository {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-clone-'));
  readonly env: Record<string, string>;
  readonly #bin = join(this.folder, 'bin');

  constructor() {
    const files = ['millrace', 'tools/stack/pom.xml', 'tools/stack/requirements.txt', 'libs/runtime/src/process-life.mjs'];
    for (const path of files) cpSync(join(root, path), join(this.folder, path), { recursive: true });
    cpSync(join(root, 'tools/stack/src'), join(this.folder, 'tools/stack/src'), {
      recursive: true,
      filter: (path) => !path.endsWith('.ts'),
    });
    for (const folder of ['e2e/src/verify', 'benchmarks/src']) mkdirSync(join(this.folder, folder), { recursive: true });
    writeFileSync(
      join(this.folder, 'tools/stack/src/main.ts'),
      "console.log('The stack tool was given', process.argv.slice(2).join(' '));\n",
    );
    writeFileSync(join(this.folder, 'package.json'), '{"type": "module"}');
    writeFileSync(join(this.folder, 'package-lock.json'), '{"packages": {"": {}, "node_modules/a": {"version": "1.0.0"}}}');
    mkdirSync(this.#bin);
    symlinkSync(process.execPath, join(this.#bin, 'node'));
    for (const tool of ['sh', 'dirname', 'sleep', 'mkdir', 'ln', 'cp']) symlinkSync(pathOf(tool), join(this.#bin, tool));
    this.install('npm', npm);
    for (const [tool, version] of Object.entries(versions)) this.install(tool, `#!/bin/sh\necho '${version}'\n`);
    this.env = { PATH: this.#bin, HOME: this.folder, REAL_NODE: process.execPath, MILLRACE_HOME: join(this.folder, '.millrace') };
  }

  /** Puts a script on the PATH. */
  install(tool: string, script: string): void {
    writeFileSync(join(this.#bin, tool), script);
    chmodSync(join(this.#bin, tool), 0o755);
  }

  /** Takes a tool off the PATH. */
  uninstall(tool: string): void {
    rmSync(join(this.#bin, tool));
  }

  /** Creates an empty file, which the npm of this repository looks for. */
  touch(name: 'slow' | 'go' | 'fail'): void {
    writeFileSync(join(this.folder, name), '');
  }

  /** How often npm was asked to install. */
  get installations(): number {
    const path = join(this.folder, 'npm-calls');
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').length : 0;
  }

  /** Runs `./millrace` without a terminal. */
  async millrace(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
    return await new Promise((resolve) => {
      execFile(join(this.folder, 'millrace'), args, { cwd: this.folder, env: { ...this.env, ...env } }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  }

  /** Runs `./millrace` in a terminal. */
  inTerminal(args: readonly string[]): Terminal {
    return new Terminal([join(this.folder, 'millrace'), ...args], { cwd: this.folder, env: this.env });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function pathOf(tool: string): string {
  const found = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, tool))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${tool} is not on the PATH`);
  return found;
}
