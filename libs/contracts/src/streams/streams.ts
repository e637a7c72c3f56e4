import { listStreams } from './define-stream.ts';
import { purchases } from './purchases.ts';
import type { Stream } from './stream.ts';

/** Every stream Millrace carries. */
export const streams: readonly Stream[] = listStreams([purchases]);
