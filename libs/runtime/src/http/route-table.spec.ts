import { describe, expect, it } from 'vitest';
import { RouteTable } from './route-table.ts';

describe('the route table', () => {
  const routes = new RouteTable();
  routes.add('/v1/queries', ['POST']);
  routes.add('/v1/queries/:id', ['GET', 'HEAD']);
  routes.add('/v1/queries/:id', ['DELETE']);
  routes.add('/files/*', ['GET']);

  it.each([
    ['/v1/queries', ['POST']],
    ['/v1/queries/7', ['DELETE', 'GET', 'HEAD']],
    ['/v1/queries/', []],
    ['/v1/queries/7/results', []],
    ['/files/a/b', ['GET']],
    ['/files', []],
    ['/', []],
  ])('the table lists the methods of %s', (path, methods) => expect(routes.methodsOf(path)).toEqual(methods));
});
