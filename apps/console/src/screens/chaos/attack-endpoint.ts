import { ApiError } from '../../api/errors.ts';
import { session } from '../../api/session.ts';

// The path of `attacksPath` in libs/contracts, whose index brings a validator with it.
const path = '/admin/attacks';

/**
 * Asks the endpoint of attacks of the chaos profile. It gets no credential, because it is another program and listens on loopback only.
 *
 * @param route what follows the path of the endpoint
 * @throws ApiError with the reason of a refusal, and without an answer
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- names the answer that the endpoint promises
export async function askEndpoint<T>(route: string, signal?: AbortSignal): Promise<T> {
  const { value } = session;
  const url = `${value.state === 'signed-in' ? (value.caller.chaosUrl ?? '') : ''}${path}${route}`;
  let response: Response;
  try {
    response = await fetch(url, { credentials: 'omit', cache: 'no-store', ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ApiError('The endpoint of attacks does not answer. It ends with ./millrace chaos serve.', undefined, error);
  }
  const answer = (await response.json()) as T & { readonly detail?: string };
  if (response.ok) return answer;
  const detail = answer.detail ?? `The endpoint of attacks answered ${response.status}.`;
  throw new ApiError(detail, { type: 'urn:millrace:problem:attack', title: 'The endpoint refuses', status: response.status, detail });
}

/** The route that starts an attack. Values are pairs such as `latencyMs=500`, separated by spaces. */
export function startRoute(attack: string, target: string, seconds: number, values: string): string {
  const query = new URLSearchParams({ attack, target, seconds: String(seconds) });
  for (const pair of values.split(/\s+/).filter((one) => one !== '')) {
    const [name = '', ...value] = pair.split('=');
    query.set(name, value.join('='));
  }
  return `/start?${query.toString()}`;
}
