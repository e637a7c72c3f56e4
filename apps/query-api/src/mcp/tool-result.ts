import type { CallToolResult } from '@modelcontextprotocol/server';
import { QueryError } from '../errors.ts';

/** The answer of a tool, as structure and as JSON text for clients that read only text. */
export function answered(content: object): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(content) }], structuredContent: { ...content } };
}

/** An answer that gives the reason of a refusal. */
export function refused(text: string): CallToolResult {
  return { content: [{ type: 'text', text }], isError: true };
}

/** The text of an error: its code, what happened, each wrong field, and when a retry makes sense. */
export function refusalText({ code, message, errors = [], retryAfterSeconds }: QueryError): string {
  const fields = errors.length > 1 ? ` Wrong: ${errors.map(({ field, message: what }) => `${field} ${what}`).join('; ')}.` : '';
  const retry = retryAfterSeconds === undefined ? '' : ` Try again in ${retryAfterSeconds} s.`;
  return `${code}: ${message}${fields}${retry}`;
}

/**
 * Runs a tool. An error of the query API becomes an answer with `isError`.
 *
 * @param onFailure called with an unexpected error, of which the caller learns nothing
 */
export async function toolResult(run: () => Promise<CallToolResult>, onFailure: (error: unknown) => void): Promise<CallToolResult> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof QueryError) return refused(refusalText(error));
    onFailure(error);
    return refused('internal: The service failed. Its log has the reason.');
  }
}
