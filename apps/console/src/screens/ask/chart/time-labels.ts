/** Dates as results write them. Within a day the label is the time, and the date is below it where the day begins. */
export function timeLabels(_plot: unknown, splits: readonly number[], _axis: number, _space: number, step: number): string[] {
  const texts = splits.map((seconds) => new Date(seconds * 1000).toISOString());
  return texts.map((text, n) => {
    const date = text.slice(0, 10);
    if (step >= 86_400) return date;
    const time = text.slice(11, step < 1 ? 23 : step < 60 ? 19 : 16);
    return texts[n - 1]?.startsWith(date) === true ? time : `${time}\n${date}`;
  });
}
