/** A shell snippet of a document, and the answer that is shown below it. */
export interface Snippet {
  readonly script: string;
  /** Undefined where no answer is shown. */
  readonly answer?: { readonly language: string; readonly status: number; readonly text: string };
}

const block = /```sh\n([^]*?)```(?:\n```(\w+) (\d{3})\n([^]*?)```)?/g;

/** The snippets of a Markdown text that call a service. */
export function snippetsOf(markdown: string): Snippet[] {
  return [...markdown.matchAll(block)]
    .map(([, script, language, status, text]): Snippet => ({
      script: script!.trimEnd(),
      ...(language === undefined ? {} : { answer: { language, status: Number(status), text: text! } }),
    }))
    .filter(({ script }) => script.includes('curl '));
}

/** Names whose value must be equal; for other names only the type must be. */
const promised = new Set([
  'type',
  'title',
  'status',
  'state',
  'engine',
  'durability',
  'topic',
  'name',
  'default',
  'message',
  'field',
  'limit',
  'instance',
  'detail',
  'accepted',
  'rejected',
  'index',
  'required',
]);

/** Names that an answer leaves out when the table changed while the query ran, or a partition of the topic is empty. */
const absentAfterChange = new Set(['asOf', 'cached', 'newestEventAt', 'oldestEventAt', 'recordedAt']);

/** Names that an answer has only in a state that a page need not show: the Iceberg table did not cover the lake yet. */
const presentSometimes = new Set(['layoutFallback']);

/**
 * Lists the differences between an answer and the shown one, one line each. Names and types must be equal, and the values of promised
 * names. `…` matches any text. A list must contain the elements shown, except rows, which depend on the table.
 */
export function differences(shown: unknown, given: unknown, path = ''): string[] {
  if (Array.isArray(shown)) {
    if (!Array.isArray(given)) return [`${path} is not a list`];
    const lenient = path.endsWith('.rows');
    return shown.flatMap((element, index) =>
      index < given.length ? differences(element, given[index], `${path}[${index}]`) : lenient ? [] : [`${path}[${index}] is missing`],
    );
  }
  if (typeof shown === 'object' && shown !== null) {
    if (typeof given !== 'object' || given === null) return [`${path} is not an object`];
    const left = shown as Record<string, unknown>;
    const right = given as Record<string, unknown>;
    const extra = Object.keys(right).filter((name) => !(name in left) && !presentSometimes.has(name));
    return [
      ...extra.map((name) => `${path}.${name} is not shown`),
      ...Object.keys(left).flatMap((name) =>
        name in right
          ? differences(left[name], right[name], `${path}.${name}`)
          : absentAfterChange.has(name)
            ? []
            : [`${path}.${name} is missing`],
      ),
    ];
  }
  if (typeof shown !== typeof given) return [`${path} is ${typeof given}, not ${typeof shown}`];
  const name = /\.(\w+)$/.exec(path)?.[1];
  // A word of a health check depends on the machine.
  const exact = name !== undefined && promised.has(name) && shown !== '…' && !(name === 'detail' && path.includes('dependencies'));
  return exact && shown !== given ? [`${path} is ${JSON.stringify(given)}, not ${JSON.stringify(shown)}`] : [];
}
