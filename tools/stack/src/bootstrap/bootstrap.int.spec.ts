import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { usage } from '../command-line.mjs';
import { processesWith } from '../testing/processes-with.ts';
import { SmallRepository } from '../testing/small-repository.ts';
import type { Terminal } from '../testing/terminal.ts';

let clone: SmallRepository;
beforeEach(() => {
  clone = new SmallRepository();
});
afterEach(() => clone.remove());

describe('a fresh clone', () => {
  it('the help needs no installation', async () => {
    for (const args of [[], ['help'], ['--help'], ['up', '--help']]) {
      expect(await clone.millrace(args)).toEqual({ code: 0, stdout: usage, stderr: '' });
    }
    expect(clone.installations).toBe(0);
  });

  it.each([
    ['nonsense', 'There is no command "nonsense".'],
    ['up --fast', 'Unknown argument "--fast": ./millrace up takes --detach, --trino, --brokers.'],
    ['start', 'Usage: ./millrace start NAME [--as ALIAS]'],
    ['start tomcat', 'There is no "tomcat"'],
    ['verify', './millrace verify takes one of:'],
  ])('the invalid command line "%s" is refused without an installation', async (line, message) => {
    const { code, stderr } = await clone.millrace(line.split(' '));
    expect(code).toBe(1);
    expect(stderr).toContain(`millrace: ${message}`);
    expect(clone.installations).toBe(0);
  });

  it('the packages are installed once, and the arguments reach the stack tool', async () => {
    expect(await clone.millrace(['trace', 'an-id', '--deep'])).toMatchObject({
      code: 0,
      stdout: 'The stack tool was given trace an-id --deep\n',
    });
    expect(await clone.millrace(['status'])).toMatchObject({ code: 0, stderr: '' });
    expect(clone.installations).toBe(1);
  });

  it('the output has no npm notices, and no control sequences without a terminal', async () => {
    const { stderr } = await clone.millrace(['status']);
    expect(stderr).toContain('  … Install npm packages\n');
    expect(stderr).toMatch(/ {2}✓ Install npm packages: 1 packages \(\d+\.\d s\)\n/);
    expect(stderr).not.toContain('notice');
    expect(stderr).not.toContain('\u001b');
    expect(stderr).not.toContain('\r');
  });

  it('the output of a failed npm is shown', async () => {
    clone.touch('fail');
    const { code, stderr } = await clone.millrace(['status']);
    expect(code).toBe(1);
    expect(stderr).toContain('millrace: npm ci failed:\n');
    expect(stderr).toContain('npm error 404 Not Found');
  });
});

describe('two commands in a fresh clone', () => {
  it('the second command waits for the installation of the first and says so', async () => {
    clone.touch('slow');
    const first = clone.inTerminal(['status']);
    await expect.poll(() => clone.installations, { timeout: 20_000 }).toBe(1);
    const second = clone.inTerminal(['status']);
    await second.until('installs the npm packages; waiting for it.');
    clone.touch('go');
    expect([await first.ended, await second.ended]).toEqual([0, 0]);
    expect(second.text).toContain('The stack tool was given status');
    expect(clone.installations).toBe(1);
  });

  it('a command does not wait for a command that has died, not even for a zombie', async () => {
    // `exec` replaces the shell by a program that never asks for its child's exit code.
    const parent = spawn('sh', ['-c', 'sleep 0.5 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [text] = (await once(parent.stdout, 'data')) as [Buffer];
    mkdirSync(join(clone.folder, '.millrace'));
    writeFileSync(join(clone.folder, '.millrace/packages.lock'), JSON.stringify({ pid: Number(text.toString()), startedAt: '1' }));
    expect(await clone.millrace(['status'])).toMatchObject({ code: 0 });
    parent.kill('SIGKILL');
  });
});

describe('an interrupted installation', () => {
  it.each([
    { how: 'Ctrl-C', interrupt: (terminal: Terminal) => terminal.pressCtrlC(), code: 130 },
    { how: 'SIGTERM', interrupt: (terminal: Terminal) => terminal.signal('SIGTERM'), code: 143 },
    { how: 'SIGHUP', interrupt: (terminal: Terminal) => terminal.signal('SIGHUP'), code: 129 },
    { how: 'a closed terminal', interrupt: (terminal: Terminal) => terminal.close(), code: 129 },
  ])('$how during the installation leaves no process, and the next command continues', async ({ interrupt, code }) => {
    clone.touch('slow');
    const terminal = clone.inTerminal(['up']);
    await expect.poll(() => clone.installations, { timeout: 20_000 }).toBe(1);
    interrupt(terminal);
    expect(await terminal.ended).toBe(code);
    expect(processesWith(clone.folder)).toEqual([]);
    clone.touch('go');
    expect(await clone.millrace(['status'])).toMatchObject({ code: 0 });
  });

  it('the message says that the installation was interrupted', async () => {
    clone.touch('slow');
    const terminal = clone.inTerminal(['up']);
    await expect.poll(() => clone.installations, { timeout: 20_000 }).toBe(1);
    terminal.pressCtrlC();
    await terminal.until('millrace: Interrupted. Nothing was left running; the next command continues.');
  });
});

describe('a machine that lacks requirements', () => {
  it('one message lists everything that is missing, before npm installs anything', async () => {
    for (const tool of ['java', 'mvn', 'python3']) clone.uninstall(tool);
    const { code, stderr } = await clone.millrace(['test']);
    expect(code).toBe(1);
    expect(stderr).toContain('Java 17 or newer is missing: there is no java on the PATH.');
    expect(stderr).toContain('Maven 3.6 or newer is missing: there is no mvn on the PATH.');
    expect(stderr).toContain('Python 3.10 or newer is missing: there is no python3 on the PATH.');
    expect(stderr).toContain('sudo apt-get install default-jre-headless maven python3 python3-venv\n');
    expect(stderr).toContain('sudo dnf install java-latest-openjdk-headless maven python3\n');
    expect(stderr).toContain('brew install temurin maven python\n');
    expect(clone.installations).toBe(0);
  });

  it('a message names the missing venv module of Python', async () => {
    clone.install(
      'python3',
      '#!/bin/sh\nif [ "$1" = -c ]; then echo "ModuleNotFoundError: No module named \'ensurepip\'"; exit 1; fi\necho Python 3.11.2\n',
    );
    const { code, stdout, stderr } = await clone.millrace(['up']);
    expect(code).toBe(1);
    expect(stdout).toContain('✗ Check this machine');
    expect(stderr).toContain(
      "Python's venv module is missing: \"python3 -c import venv, ensurepip\" fails: ModuleNotFoundError: No module named 'ensurepip'.",
    );
    expect(stderr).toContain('sudo apt-get install python3-venv\n');
  });

  it('a message names a version that is too old', async () => {
    clone.install('java', '#!/bin/sh\necho \'openjdk version "11.0.2" 2019-01-15\'\n');
    expect((await clone.millrace(['up'])).stderr).toContain('Java 17 or newer is needed; this machine has 11.0.');
  });

  it('Java and Maven are not needed when Kafka runs elsewhere', async () => {
    for (const tool of ['java', 'mvn']) clone.uninstall(tool);
    expect(await clone.millrace(['up'], { KAFKA_BROKERS: 'kafka:9092' })).toMatchObject({ code: 0 });
  });

  it('a message names every port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { stderr } = await clone.millrace(['up'], { KAFKA_PORT: `${port}`, SINK_PORT: `${port}` });
    server.close();
    expect(stderr).toContain(
      `Port ${port} of kafka is taken by another process: stop that process, or choose another port with KAFKA_PORT.`,
    );
    expect(stderr).toContain(`Port ${port} of sink is taken by another process: stop that process, or choose another port with SINK_PORT.`);
    expect(clone.installations).toBe(0);
  });
});
