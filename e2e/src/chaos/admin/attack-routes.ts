import { ExperimentError, type ExperimentErrorCode } from '../errors.ts';
import { attacksPath, type ExperimentList } from '@millrace/contracts';
import type { AttackAdmin } from './attack-admin.ts';

/** A request to the endpoint. */
export interface AdminRequest {
  readonly method: string;
  /** Path with its query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** An answer of the endpoint. */
export interface AdminAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Access of the console of the chaos profile. */
export interface ConsoleAccess {
  /** Origin of its page. */
  readonly origin: string;
  readonly experiments: () => Promise<ExperimentList>;
}

const statusOf: Readonly<Record<ExperimentErrorCode, number>> = { invalid: 400, refused: 403, unknown: 404, busy: 409, aborted: 500 };
const loopback = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/**
 * Answers a request to the endpoint of attacks. Each route is a GET, so that a browser or `curl` suffices:
 * `/admin/attacks`, `/admin/attacks/start?attack=cpu&target=purchase&seconds=10`, `/admin/attacks/stop?id=1`, `/admin/attacks/stop` for
 * all, and `/admin/attacks/experiments`.
 */
export async function answerAdmin(admin: AttackAdmin, request: AdminRequest, access: ConsoleAccess): Promise<AdminAnswer> {
  try {
    return await route(admin, request, access);
  } catch (error) {
    const status = error instanceof ExperimentError ? statusOf[error.code] : 500;
    return { status, body: { status, detail: (error as Error).message } };
  }
}

async function route(
  admin: AttackAdmin,
  { method, url, headers }: AdminRequest,
  { origin, experiments }: ConsoleAccess,
): Promise<AdminAnswer> {
  mustComeFromHere(headers, origin);
  if (method !== 'GET') return { status: 405, body: { status: 405, detail: `The method ${method} is not allowed: use GET.` } };
  const { pathname, searchParams } = new URL(url, 'http://127.0.0.1');
  if (pathname === attacksPath) return { status: 200, body: admin.list() };
  if (pathname === `${attacksPath}/experiments`) return { status: 200, body: await experiments() };
  if (pathname === '/admin/attacks/start') return { status: 202, body: await admin.start(planOf(searchParams)) };
  if (pathname !== '/admin/attacks/stop')
    throw new ExperimentError('unknown', `There is no ${pathname}: use /admin/attacks, …/start, …/stop or …/experiments.`);
  const id = searchParams.get('id');
  return { status: 200, body: id === null ? await admin.stopAll() : await admin.stop(Number(id)) };
}

// A GET with an effect must not be sent by a page of another site, and not through a name that resolves to this machine. A browser names
// the origin of a page that would read the answer.
function mustComeFromHere({ host, origin, 'sec-fetch-site': site = 'none' }: AdminRequest['headers'], console: string): void {
  if (typeof host !== 'string' || !loopback.test(host))
    throw new ExperimentError('refused', 'The endpoint of attacks is for this machine only: use its address 127.0.0.1.');
  if (site !== 'none' && site !== 'same-origin' && origin !== console)
    throw new ExperimentError('refused', 'A page of another site may not use the endpoint of attacks.');
}

function planOf(query: URLSearchParams): object {
  const { attack, target, seconds = '10', ...rest } = Object.fromEntries(query);
  const given = Object.entries(rest).map(([name, value]) => [name, /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value]);
  return { attack, target, seconds: Number(seconds), ...(given.length === 0 ? {} : { arguments: Object.fromEntries(given) as object }) };
}
