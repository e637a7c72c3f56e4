import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { Queue } from 'bullmq';
import { boardFolder, boardPage, boardPath } from './board-page.ts';

type ServerAdapter = Parameters<typeof createBullBoard>[0]['serverAdapter'];
type ApiRoute = Parameters<ServerAdapter['setApiRoutes']>[0][number];
type UiConfig = Parameters<ServerAdapter['setUIConfig']>[0];
type BoardQueues = Parameters<ServerAdapter['setQueues']>[0];

/** Maximum number of jobs on a page. */
const jobsPerPageMax = 100;

/** An answer of the board. */
export interface BoardAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A route that reads. */
interface ReadRoute {
  readonly pattern: RegExp;
  readonly route: ApiRoute;
}

/** bull-board without its routes that write. */
export class Board implements ServerAdapter {
  readonly #reads: ReadRoute[] = [];
  readonly #ui: ReturnType<typeof createBullBoard>;
  #queues: BoardQueues = new Map();
  #uiConfig: UiConfig = {};
  #page = '';

  constructor() {
    this.#ui = createBullBoard({
      queues: [],
      serverAdapter: this,
      options: {
        uiBasePath: boardFolder,
        // A list of the workers would need CLIENT LIST, which the least rights on Redis do not give.
        uiConfig: { boardTitle: 'Millrace queries', hideDocsLink: true, showWorkers: false },
      },
    });
  }

  /** The page of the board. */
  get page(): string {
    return this.#page;
  }

  /**
   * Answers a request of the page; undefined for an unknown path.
   *
   * @param path below {@link boardPath}, such as `/api/queues`
   */
  async read(path: string, query: Readonly<Record<string, unknown>>, queues: readonly Queue[]): Promise<BoardAnswer | undefined> {
    this.#ui.replaceQueues(queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true, allowRetries: false })));
    for (const { pattern, route } of this.#reads) {
      const match = pattern.exec(path);
      if (match === null) continue;
      const answer = await route.handler({
        queues: this.#queues,
        uiConfig: this.#uiConfig,
        query: { ...query, ...jobsPerPageOf(query) },
        params: Object.fromEntries(Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)])),
        body: {},
        headers: {},
      });
      return { status: answer.status ?? 200, body: answer.body };
    }
    return undefined;
  }

  setQueues(queues: BoardQueues): this {
    this.#queues = queues;
    return this;
  }

  setUIConfig(config: UiConfig): this {
    this.#uiConfig = config;
    return this;
  }

  setEntryRoute(route: Parameters<ServerAdapter['setEntryRoute']>[0]): this {
    this.#page = boardPage(route.handler({ basePath: boardPath, uiConfig: this.#uiConfig }).params);
    return this;
  }

  setApiRoutes(routes: ApiRoute[]): this {
    for (const route of routes.filter(({ method }) => [method].flat().includes('get')))
      for (const path of [route.route].flat()) this.#reads.push({ pattern: patternOf(path), route });
    return this;
  }

  setErrorHandler(): this {
    return this;
  }

  setStaticPath(): this {
    return this;
  }

  setViewsPath(): this {
    return this;
  }
}

function patternOf(route: string): RegExp {
  return new RegExp(`^${route.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`);
}

function jobsPerPageOf({ jobsPerPage }: Readonly<Record<string, unknown>>): { jobsPerPage?: string } {
  return Number(jobsPerPage) > jobsPerPageMax ? { jobsPerPage: String(jobsPerPageMax) } : {};
}
