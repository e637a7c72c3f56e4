import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Finds a loopback port without a listener. It is below the range of ports for outgoing connections, so that a listener can close and open
 * it again.
 *
 * @throws Error when none is found
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(24_000, 32_000);
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
  throw new Error('no free port was found between 24000 and 32000');
}
