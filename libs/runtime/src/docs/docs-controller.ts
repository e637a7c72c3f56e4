import type { OpenApiDocument } from '@millrace/contracts';
import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { docsPage } from './docs-page.ts';

/** Injection token of the service's OpenAPI document. */
export const OPEN_API = Symbol('OPEN_API');

/** `/openapi.json` and `/docs`. Neither needs credentials: both hold the public schema only. */
@Controller()
export class DocsController {
  readonly #document: OpenApiDocument;
  readonly #page: ReturnType<typeof docsPage>;

  constructor(@Inject(OPEN_API) document: OpenApiDocument) {
    this.#document = document;
    this.#page = docsPage(document);
  }

  @Get('openapi.json')
  document(): OpenApiDocument {
    return this.#document;
  }

  @Get('docs')
  async page(@Res() reply: FastifyReply): Promise<void> {
    const { html, contentSecurityPolicy } = this.#page;
    await reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', contentSecurityPolicy)
      .header('x-content-type-options', 'nosniff')
      .send(html);
  }
}
