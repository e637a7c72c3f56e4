/** The id in a text: a bare one, or that of a receipt. */
export function eventIdIn(text: string): string | undefined {
  const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;
  return (/"eventId"\s*:\s*"([^"]+)"/.exec(text)?.[1]?.match(uuid) ?? text.match(uuid))?.[0].toLowerCase();
}

/** The place of a receipt as a query string; undefined without one. */
export function placeIn(text: string): string | undefined {
  const partition = /"partition"\s*:\s*(\d{1,6})/.exec(text)?.[1];
  const offset = /"offset"\s*:\s*"?(\d{1,16})"?/.exec(text)?.[1];
  return partition === undefined || offset === undefined ? undefined : `partition=${partition}&offset=${offset}`;
}
