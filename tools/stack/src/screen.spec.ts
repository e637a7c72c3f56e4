import { describe, expect, it } from 'vitest';
import { Screen } from './screen.mjs';

function output(isTTY: boolean): { write(text: string): boolean; isTTY: boolean; columns: number; text: string } {
  return {
    isTTY,
    columns: 40,
    text: '',
    write(text) {
      this.text += text;
      return true;
    },
  };
}

async function shown(isTTY: boolean, env: Readonly<Record<string, string>>): Promise<string> {
  const out = output(isTTY);
  const screen = new Screen(out, env);
  await screen.step('Build everything that this workspace holds', async (note) => note('3 projects'));
  await screen.step('Start', async () => await Promise.reject(new Error('broken'))).catch(() => undefined);
  screen.line(screen.bold('Done'));
  return out.text.replaceAll(/\d+\.\d s/g, 'N s');
}

describe('Screen', () => {
  it('the screen writes plain lines without a terminal', async () => {
    expect(await shown(false, {})).toBe(
      [
        '  … Build everything that this workspace holds',
        '  ✓ Build everything that this workspace holds: 3 projects (N s)',
        '  … Start',
        '  ✗ Start (N s)',
        'Done',
        '',
      ].join('\n'),
    );
  });

  it('the screen redraws one line on a terminal, cut to its width, in colour', async () => {
    expect(await shown(true, { TERM: 'xterm' })).toBe(
      [
        `\r\u001b[K${'  … Build everything that this workspace holds'.slice(0, 38)}…\r\u001b[K  \u001b[32m✓\u001b[0m Build everything that this workspace holds: 3 projects (N s)`,
        '\r\u001b[K  … Start (N s)\r\u001b[K  \u001b[31m✗\u001b[0m Start (N s)',
        '\u001b[1mDone\u001b[0m',
        '',
      ].join('\n'),
    );
  });

  it('NO_COLOR removes the colour, and a dumb terminal gets no control sequences', async () => {
    const plain = await shown(true, { TERM: 'xterm', NO_COLOR: '1' });
    expect(plain.replaceAll('\r\u001b[K', '')).not.toContain('\u001b');
    expect(await shown(true, { TERM: 'dumb' })).toBe(await shown(false, {}));
  });

  it('concurrent steps share one line, and each has its own end', async () => {
    const out = output(true);
    const screen = new Screen(out, { TERM: 'xterm', NO_COLOR: '1' });
    const first = Promise.withResolvers<void>();
    const steps = [screen.step('A', async () => await first.promise), screen.step('B', async () => undefined)];
    await steps[1];
    first.resolve();
    await Promise.all(steps);
    const lines = out.text
      .replaceAll(/\d+\.\d s/g, 'N s')
      .replaceAll('\r\u001b[K', '\n')
      .split('\n');
    expect(lines.filter((line) => line !== '')).toEqual([
      '  … A (N s)',
      '  … A (N s), B (N s)',
      '  ✓ B (N s)',
      '  … A (N s)',
      '  ✓ A (N s)',
    ]);
  });
});
