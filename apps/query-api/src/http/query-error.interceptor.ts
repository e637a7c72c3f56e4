import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { ProblemError } from '@millrace/runtime';
import { catchError, throwError, type Observable } from 'rxjs';
import { QueryError } from '../errors.ts';

/** Turns this app's errors into problem documents. */
@Injectable()
export class QueryErrorInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next
      .handle()
      .pipe(catchError((error: unknown) => throwError(() => (error instanceof QueryError ? problemErrorOf(error) : error))));
  }
}

function problemErrorOf(error: QueryError): ProblemError {
  return new ProblemError(error.code, {
    detail: error.message,
    ...(error.errors === undefined ? {} : { errors: error.errors }),
    ...(error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
    cause: error,
  });
}
