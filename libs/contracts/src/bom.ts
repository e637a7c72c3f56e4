// https://www.rfc-editor.org/rfc/rfc8259#section-8.1
const utf8Bom = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * JSON text without the byte order mark that some programs put before it. Every entry point of the system ignores one. The result is a
 * view, not a copy.
 */
export function withoutBom(text: Buffer): Buffer {
  return text.length >= utf8Bom.length && text.subarray(0, utf8Bom.length).equals(utf8Bom) ? text.subarray(utf8Bom.length) : text;
}
