import { Controller, Get, Module, Post } from '@nestjs/common';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createLogger } from '../logging/create-logger.ts';
import { type RunningService, type ServiceOptions, startService } from '../service/start-service.ts';
import { securityHeaders } from './secure-answers.ts';

@Controller('things')
class ThingsController {
  @Get()
  list(): unknown {
    return [];
  }

  @Post()
  create(): unknown {
    return {};
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

let service: RunningService | undefined;
afterEach(async () => await service?.close());

async function start(options: Partial<ServiceOptions> = {}): Promise<string> {
  service = await startService({
    name: 'things',
    module: ThingsModule,
    port: 0,
    logger: createLogger({ name: 'things', level: 'silent' }),
    ...options,
  });
  return service.url;
}

const names = Object.keys(securityHeaders);
const securityOf = (headers: Headers): unknown => Object.fromEntries(names.map((name) => [name, headers.get(name)]));

/** Sends bytes and reads all that is answered. */
async function exchange(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return await new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('close', () => resolve(text)).on('error', reject);
  });
}

describe('security headers', () => {
  it.each(['/things', '/health/live', '/nothing', '/things/%zz'])('the answer of %s has the security headers', async (path) => {
    const { headers } = await fetch((await start()) + path);
    expect(securityOf(headers)).toEqual(securityHeaders);
  });

  it('a refused request and bytes that are not HTTP get the security headers, too', async () => {
    const url = await start({ auth: { apiKeys: [] } });
    const refused = await fetch(`${url}/things`);
    expect([refused.status, securityOf(refused.headers)]).toEqual([401, securityHeaders]);
    const text = await exchange(url, 'no request\r\n\r\n');
    for (const [name, value] of Object.entries(securityHeaders)) expect(text).toContain(`\r\n${name}: ${value}\r\n`);
  });
});

const shop = 'https://shop.example';
const preflight = { method: 'OPTIONS', headers: { origin: shop, 'access-control-request-method': 'POST' } };

describe('CORS', () => {
  it('other origins are not allowed by default', async () => {
    const url = await start();
    const answer = await fetch(`${url}/things`, { headers: { origin: shop } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect((await fetch(`${url}/things`, preflight)).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('only the configured origins are allowed, and a preflight needs no credentials', async () => {
    const url = await start({ corsOrigins: [shop], auth: { apiKeys: [] } });
    const { status, headers } = await fetch(`${url}/things`, preflight);
    expect([status, headers.get('access-control-allow-origin')]).toEqual([204, shop]);
    expect(headers.get('access-control-allow-methods')).toContain('POST');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    const refused = await fetch(`${url}/things`, { headers: { origin: shop } });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, shop]);
    const other = await fetch(`${url}/things`, { headers: { origin: 'https://evil.example' } });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });
});
