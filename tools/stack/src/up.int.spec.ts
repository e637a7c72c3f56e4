import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeadBucketCommand } from '@aws-sdk/client-s3';
import { s3Client } from '@millrace/lake';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Interruption } from './interruption.mjs';
import { partNames, root, serviceNames } from './places.mjs';
import { ownPorts } from './private-stack.ts';
import { readSettings } from './settings.ts';
import { Stack } from './stack.ts';
import { processesWith } from './testing/processes-with.ts';
import { Terminal } from './testing/terminal.ts';

/** A whole stack starts within this time on a busy machine, in milliseconds. */
const timeout = 280_000;

let home: string;
let env: Record<string, string | undefined>;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'millrace-up-'));
  // The variables of the stack that the tests run on would make its parts external.
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^(KAFKA|REDIS|AWS|PURCHASE|SINK|QUERY|PROJECTOR|TRINO|LAKE)_/.test(key)),
  );
  env = { ...inherited, ...(await ownPorts()), MILLRACE_HOME: home, MILLRACE_CACHE: process.env['MILLRACE_CACHE'], NO_COLOR: '1' };
});
afterEach(async () => {
  await new Stack(readSettings(env), env, new Interruption()).stopAll(() => undefined);
  rmSync(home, { recursive: true, force: true });
});

function millrace(...args: readonly string[]): Terminal {
  return new Terminal([join(root, 'millrace'), ...args], { cwd: root, env });
}

function pidOf(name: string): number {
  return (JSON.parse(readFileSync(join(home, 'run', `${name}.json`), 'utf8')) as { pid: number }).pid;
}

/** Its exit code, after all that it showed: a failed test then prints both. */
async function endOf(terminal: Terminal): Promise<string> {
  const code = await terminal.ended;
  return `${terminal.text}\nexit code ${code}`;
}

/** The ways to interrupt a command, each with its exit code. */
const interrupts = {
  'Ctrl-C': { send: (terminal: Terminal) => terminal.pressCtrlC(), code: 130 },
  SIGTERM: { send: (terminal: Terminal) => terminal.signal('SIGTERM'), code: 143 },
  SIGHUP: { send: (terminal: Terminal) => terminal.signal('SIGHUP'), code: 129 },
} as const;

describe('./millrace up in a terminal', () => {
  it.each([
    { how: 'Ctrl-C', when: 'the build', shown: '… Build', started: [] },
    { how: 'SIGHUP', when: 'the start of a part', shown: '… Start kafka', started: [] },
    { how: 'SIGTERM', when: 'the start of another part', shown: '… Start redis', started: ['kafka'] },
    { how: 'Ctrl-C', when: 'the start of a service', shown: '… Start purchase', started: ['kafka', 'redis', 'aws'] },
  ] as const)('$how during $when stops everything that the command started', { timeout }, async ({ how, shown, started }) => {
    const up = millrace('up');
    await up.until(shown);
    interrupts[how].send(up);
    expect(await endOf(up)).toContain(`exit code ${interrupts[how].code}`);
    expect(up.text).toContain('Interrupted. Stopping what this command started');
    for (const name of started) expect(up.text).toContain(`✓ ${name}: stopped`);
    expect(processesWith(home)).toEqual([]);
  });

  it('Ctrl-C after the start stops everything, and the command exits with 0', { timeout }, async () => {
    const up = millrace('up');
    await up.until('Ctrl-C stops everything.');
    expect(up.text).toContain('Sales by genre');
    expect(up.text).toMatch(/Took .*: .*downloads and build .*, start .*, sample purchases .*, report .*\./);
    up.pressCtrlC();
    expect(await up.ended).toBe(0);
    for (const name of [...partNames, ...serviceNames]) expect(up.text).toContain(`✓ ${name}: stopped`);
    expect(processesWith(home)).toEqual([]);
  });

  it('a second Ctrl-C does not wait for a process that does not stop', { timeout }, async () => {
    const up = millrace('up');
    await up.until('… Start purchase');
    process.kill(pidOf('redis'), 'SIGSTOP');
    up.pressCtrlC();
    await up.until('a second Ctrl-C does not wait');
    // A second press that comes at once counts as the same one.
    await new Promise((resolve) => setTimeout(resolve, 600));
    up.pressCtrlC();
    expect(await endOf(up)).toContain('exit code 130');
    expect(up.text).toContain('✓ redis: killed');
    expect(processesWith(home)).toEqual([]);
  });

  it('processes of an earlier command keep running, and the output says so', { timeout }, async () => {
    expect(await millrace('start', 'redis').ended).toBe(0);
    const up = millrace('up');
    await up.until('… Start aws');
    up.pressCtrlC();
    expect(await up.ended).toBe(130);
    expect(up.text).toContain('✓ kafka: stopped');
    expect(up.text).toContain('Still running: redis. Stop with ./millrace down; the data stays.');
  });
});

describe('./millrace verify in a terminal', () => {
  it('Ctrl-C stops the proof and its stack', { timeout }, async () => {
    env = { ...env, MILLRACE_TEST_MARK: home };
    const verify = millrace('verify', 'sink-rebalance');
    await verify.until('✓ Start a stack for verify-sink-rebalance');
    verify.pressCtrlC();
    expect(await verify.ended).toBe(130);
    expect(verify.text).toContain('✓ Stop the stack');
    expect(processesWith(`MILLRACE_TEST_MARK=${home}`)).toEqual([]);
  });
});

describe('a separate S3', () => {
  it('set-up, services and the wait for the samples use AWS_ENDPOINT_URL_S3', { timeout }, async () => {
    const storeEnv = { ...env, MILLRACE_HOME: join(home, 'store') };
    const store = new Stack(readSettings(storeEnv), storeEnv, new Interruption());
    await store.start('aws', 'aws');
    const s3Url = store.settings.awsUrl;
    try {
      env = { ...env, ...(await ownPorts()), AWS_ENDPOINT_URL_S3: s3Url, AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
      const up = millrace('up');
      await up.until('Ctrl-C stops everything.');
      const access = { region: 'us-east-1', credentials: { accessKeyId: 'key', secretAccessKey: 'secret' } };
      const bucketAt = async (endpoint: string): Promise<unknown> =>
        await s3Client({}, { ...access, endpoint }).send(new HeadBucketCommand({ Bucket: 'millrace-lake' }));
      await expect(bucketAt(s3Url)).resolves.toBeDefined();
      await expect(bucketAt(readSettings(env).awsUrl)).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } });
      const audit = millrace('audit');
      expect({ code: await audit.ended, text: audit.text }).toMatchObject({
        code: 0,
        text: expect.stringContaining('4,000 are rows') as string,
      });
      up.signal('SIGTERM');
      expect(await up.ended).toBe(0);
      expect(processesWith(`MILLRACE_HOME=${home}\0`)).toEqual([]);
    } finally {
      await store.stopAll(() => undefined);
    }
  });
});
