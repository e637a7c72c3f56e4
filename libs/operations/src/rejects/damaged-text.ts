/** Decodes a value that may not be UTF-8. A byte order mark, or NUL bytes between ASCII characters, mark UTF-16. */
export function textOf(value: Buffer): string {
  if (value[0] === 0xff && value[1] === 0xfe) return value.toString('utf16le', 2);
  if (value[0] === 0xfe && value[1] === 0xff) return bigEndian(value.subarray(2));
  if (value.length >= 2 && value[0] !== 0 && value[1] === 0) return value.toString('utf16le');
  if (value.length >= 2 && value[0] === 0 && value[1] !== 0) return bigEndian(value);
  return value.toString('utf8');
}

function bigEndian(bytes: Buffer): string {
  const whole = bytes.subarray(0, bytes.length - (bytes.length % 2));
  return Buffer.from(whole).swap16().toString('utf16le');
}

// The quotes may be curly or escaped once more, as some programs leave them.
const eventIdIn =
  /\\?["'\u201c\u201d]eventId\\?["'\u201c\u201d]\s*:\s*\\?["'\u201c\u201d]([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\\?["'\u201c\u201d]/gi;

/** Finds the one event id that a damaged JSON text names, in lower case. Undefined when it names none or several. */
export function eventIdInText(value: Buffer): string | undefined {
  const found = new Set([...textOf(value).matchAll(eventIdIn)].map(([, id]) => id!.toLowerCase()));
  return found.size === 1 ? [...found][0] : undefined;
}
