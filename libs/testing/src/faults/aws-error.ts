const codes: Readonly<Record<number, string>> = {
  400: 'InvalidRequest',
  403: 'AccessDenied',
  404: 'NoSuchKey',
  409: 'ConditionalRequestConflict',
  412: 'PreconditionFailed',
  500: 'InternalError',
  503: 'SlowDown',
};

/** A body and its media type. */
export interface ErrorBody {
  readonly contentType: string;
  readonly body: string;
}

/** The error that AWS would answer with this status: XML from S3, JSON from services that are called by `X-Amz-Target`. */
export function awsError(status: number, isTargeted: boolean, code = codes[status] ?? 'InternalError'): ErrorBody {
  const message = 'injected by the fault proxy';
  if (isTargeted) {
    // JSON services of AWS call what S3 calls InternalError and AccessDenied by other names.
    const type =
      { InternalError: 'InternalServiceException', AccessDenied: 'AccessDeniedException', SlowDown: 'ThrottlingException' }[code] ?? code;
    return { contentType: 'application/x-amz-json-1.1', body: JSON.stringify({ __type: type, message }) };
  }
  return {
    contentType: 'application/xml',
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>fault-proxy</RequestId></Error>`,
  };
}
