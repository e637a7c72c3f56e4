import { execFile, spawn } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ChildOrder } from './child-attacks.ts';

/**
 * The process of an attack. It ends, and undoes its work, after its time, at SIGTERM, or when its standard input closes. The operating
 * system closes it when the runner dies, by SIGKILL too.
 */
const order = JSON.parse(process.argv[2]!) as ChildOrder;
const run = promisify(execFile);

/** Undoes the work. @returns the proof */
type Undo = () => Promise<{ readonly tookEffect: boolean; readonly proof: string }>;

const works: Readonly<Record<ChildOrder['kind'], () => Promise<Undo>>> = {
  freeze,
  cpu,
  memory,
  io,
  'file-size': fileSize,
  'fill-disk': fillDisk,
  'open-files': openFiles,
};

async function freeze(): Promise<Undo> {
  for (const pid of order.pids) process.kill(pid, 'SIGSTOP');
  const stopped = order.pids.filter((pid) => stateOf(pid) === 'T');
  return async () => {
    for (const pid of order.pids) signalIfThere(pid, 'SIGCONT');
    return await Promise.resolve({
      tookEffect: stopped.length === order.pids.length,
      proof: `${stopped.length} processes were in the state T`,
    });
  };
}

// The target and the burners share one core. The other cores are left to the control group.
async function cpu(): Promise<Undo> {
  const core = String(availableParallelism() - 1);
  const before = await Promise.all(order.pids.map(async (pid) => await affinityOf(pid)));
  for (const pid of order.pids) await run('taskset', ['-acp', core, String(pid)]);
  const burners = Array.from({ length: order.amount }, () =>
    spawn('taskset', ['-c', core, process.execPath, '-e', 'for(;;);'], { stdio: 'ignore' }),
  );
  const began = performance.now();
  return async () => {
    const ticks = burners.reduce((sum, { pid }) => sum + cpuSecondsOf(pid!), 0);
    for (const burner of burners) burner.kill('SIGKILL');
    for (const [n, pid] of order.pids.entries()) await run('taskset', ['-acp', before[n]!, String(pid)]).catch(() => undefined);
    const seconds = (performance.now() - began) / 1000;
    return {
      tookEffect: ticks > seconds / 4,
      proof: `${ticks.toFixed(1)} s of CPU were burned in ${seconds.toFixed(1)} s on the core of the target`,
    };
  };
}

async function memory(): Promise<Undo> {
  const held: Buffer[] = [];
  for (let n = 0; n < order.amount; n += 16) held.push(Buffer.alloc(16 * 1024 * 1024, 1));
  const rssMb = Math.round(process.memoryUsage().rss / 1024 / 1024);
  return async () => {
    held.length = 0;
    return await Promise.resolve({ tookEffect: rssMb >= order.amount, proof: `${rssMb} MB were resident in the process of the attack` });
  };
}

// Synchronous writes keep the disk of the directory busy. A pause between them lets this process see its end.
async function io(): Promise<Undo> {
  const path = join(order.folder, `io-attack-${process.pid}`);
  const file = openSync(path, 'w');
  const block = Buffer.alloc(1024 * 1024, 1);
  let written = 0;
  const timer = setInterval(() => {
    writeSync(file, block, 0, block.length, (written % 64) * block.length);
    fsyncSync(file);
    written += 1;
  }, 1);
  return async () => {
    clearInterval(timer);
    closeSync(file);
    rmSync(path, { force: true });
    return await Promise.resolve({ tookEffect: written >= 10, proof: `${written} MB were written, each with fsync` });
  };
}

// A write that makes a file longer fails with EFBIG, as a full disk fails with ENOSPC.
async function fileSize(): Promise<Undo> {
  for (const pid of order.pids) await run('prlimit', ['--pid', String(pid), `--fsize=${order.amount}:unlimited`]);
  const limited = order.pids.filter((pid) => limitsOf(pid, 'Max file size') === String(order.amount));
  return async () => {
    for (const pid of order.pids) await run('prlimit', ['--pid', String(pid), '--fsize=unlimited:unlimited']).catch(() => undefined);
    const all = limited.length === order.pids.length;
    return { tookEffect: all, proof: `${limited.length} processes could write ${order.amount} bytes to a file at most` };
  };
}

// One byte at a time in the end, so that nothing is left.
async function fillDisk(): Promise<Undo> {
  const path = join(order.folder, 'disk-attack');
  const file = openSync(path, 'w');
  let [bytes, refused] = [0, ''];
  for (const size of [1024 * 1024, 4096, 1])
    for (;;)
      try {
        bytes += writeSync(file, Buffer.alloc(size, 1));
      } catch (error) {
        refused = (error as NodeJS.ErrnoException).code ?? String(error);
        break;
      }
  closeSync(file);
  return async () => {
    rmSync(path, { force: true });
    const proof = `after ${Math.round(bytes / 1e6)} MB the disk answered ${refused}`;
    return await Promise.resolve({ tookEffect: refused === 'ENOSPC', proof });
  };
}

async function openFiles(): Promise<Undo> {
  const before = order.pids.map((pid) => limitsOf(pid, 'Max open files'));
  for (const pid of order.pids) await run('prlimit', ['--pid', String(pid), `--nofile=${order.amount}:`]);
  const limited = order.pids.filter((pid) => limitsOf(pid, 'Max open files') === String(order.amount));
  return async () => {
    for (const [n, pid] of order.pids.entries())
      await run('prlimit', ['--pid', String(pid), `--nofile=${before[n]}:`]).catch(() => undefined);
    const all = limited.length === order.pids.length;
    return { tookEffect: all, proof: `${limited.length} processes could open ${order.amount} files at most` };
  };
}

function limitsOf(pid: number, name: string): string | undefined {
  const line = readFileSync(`/proc/${pid}/limits`, 'utf8')
    .split('\n')
    .find((one) => one.startsWith(name));
  return line?.slice(name.length).trim().split(/\s+/)[0];
}

async function affinityOf(pid: number): Promise<string> {
  const { stdout } = await run('taskset', ['-cp', String(pid)]);
  return stdout.slice(stdout.lastIndexOf(':') + 1).trim();
}

function stateOf(pid: number): string | undefined {
  return fieldsOf(pid)[0];
}

function cpuSecondsOf(pid: number): number {
  // Fields 14 and 15: ticks of 10 ms in user and in kernel mode.
  return (Number(fieldsOf(pid)[11]) + Number(fieldsOf(pid)[12])) / 100;
}

function fieldsOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // The process has ended.
  }
}

const undo = await works[order.kind]();
process.stdout.write('begun\n');
let ending = false;
async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  const effect = await undo();
  // Without a reader, when the runner is dead, the write fails and the process still ends.
  process.stdout.on('error', () => process.exit(0));
  process.stdout.write(`${JSON.stringify(effect)}\n`, () => process.exit(0));
}
setTimeout(() => void end(), order.seconds * 1000);
process.stdin.on('close', () => void end()).on('end', () => void end());
process.stdin.resume();
process.on('SIGTERM', () => void end());
// Ctrl-C reaches the whole group of a terminal. The runner ends its attacks itself.
process.on('SIGINT', () => undefined);
