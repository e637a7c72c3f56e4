import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../places.mjs';
import { machineMessage } from './check-machine.mjs';
import { installCommands, requirements, room, type RequirementName } from './requirements.mjs';

const readme = readFileSync(join(root, 'README.md'), 'utf8').replaceAll(/\s+/g, ' ');

describe('README.md', () => {
  it('README.md lists every requirement of the check, with the same commands', () => {
    const rows = installCommands(Object.keys(requirements) as RequirementName[]).map(
      ({ title, command }) => `| ${title} | \`${command}\` |`,
    );
    const names = Object.values(requirements).map(({ name }) => name);
    const places = `${room.diskBeforeInstallation / 1e9} GB of disk and ${room.memory / 1e9} GB of memory`;
    expect([...names, ...rows, places].filter((text) => !readme.includes(text))).toEqual([]);
  });
});

describe('the message of the check', () => {
  it('the message names each package once', () => {
    expect(installCommands(['node', 'npm', 'python', 'venv']).map(({ command }) => command)).toEqual([
      'sudo apt-get install nodejs npm python3 python3-venv',
      'sudo dnf install nodejs nodejs-npm python3',
      'brew install node python',
    ]);
  });

  it('the message has no commands when nothing must be installed', () => {
    expect(machineMessage(['Port 1 is taken.'], [])).toBe('Millrace cannot start on this machine yet.\n  - Port 1 is taken.');
  });
});
