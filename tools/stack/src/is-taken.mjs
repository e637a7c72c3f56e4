import { connect } from 'node:net';

/**
 * Whether something listens on a loopback port.
 *
 * @param {number} port
 * @returns {Promise<boolean>}
 */
export async function isTaken(port) {
  return await new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1000 });
    /** @param {boolean} taken */
    const end = (taken) => () => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', end(true));
    socket.once('error', end(false));
    socket.once('timeout', end(true));
  });
}
