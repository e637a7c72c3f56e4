import type { ServerResponse } from 'node:http';

/** Aborts when the client disconnects or the service stops, and never after the answer was sent. */
export function answerSignal(response: ServerResponse, stopping: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort(stopping.reason);
  stopping.addEventListener('abort', stop, { once: true });
  if (stopping.aborted) stop();
  response.once('close', () => {
    stopping.removeEventListener('abort', stop);
    if (!response.writableFinished) controller.abort(new Error('the client went away'));
  });
  return controller.signal;
}
