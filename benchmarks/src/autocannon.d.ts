/** The part of autocannon that the benchmarks use; it has no types. */
declare module 'autocannon' {
  interface Options {
    readonly url: string;
    readonly connections: number;
    /** Seconds. */
    readonly duration: number;
    /** Seconds until a request is given up. */
    readonly timeout: number;
    readonly requests: readonly { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly body: string }[];
  }
  interface Result {
    /** Seconds. */
    readonly duration: number;
    readonly errors: number;
    readonly '2xx': number;
    readonly non2xx: number;
    /** Milliseconds. */
    readonly latency: { readonly p50: number; readonly p90: number; readonly p99: number; readonly max: number };
  }
  export type { Result };
  export default function autocannon(options: Options): Promise<Result>;
}
