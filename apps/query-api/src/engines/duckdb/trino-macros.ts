// Functions of Trino that DuckDB lacks or has under another name. With them, a statement gives the same value on every engine.
// `CREATE MACRO` takes each text. Only statements that the gate let pass call them, and the gate knows them by name.

/**
 * Writes each piece of the parameter `format` by a table: `from to|from to|…`. A letter that the table does not have becomes `%?`, which
 * DuckDB refuses.
 */
function translated(pieces: string, table: string, other: string): string {
  const whens = table.split('|').map((pair) => {
    const [from = '', to = ''] = pair.split(/ (.*)/);
    return `WHEN ${text(from)} THEN ${text(to)}`;
  });
  const translation = `lambda p: CASE p ${whens.join(' ')} ELSE ${other} END`;
  const pattern = `list_aggregate(list_transform(regexp_extract_all(format, ${text(pieces)}), ${translation}), 'string_agg', '')`;
  // The type must stay open until the macro is called: strptime refuses a format that it knows as text and not as a constant.
  return `CASE WHEN format IS NULL THEN format ELSE ${pattern} END`;
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** MySQL's format, of `date_format` and `date_parse`, as DuckDB's. */
const mySqlFormat = translated(
  '%.|[^%]+|%',
  '%a %a|%b %b|%c %-m|%d %d|%e %-d|%f %f|%H %H|%h %I|%I %I|%i %M|%j %j|%k %-H|%l %-I|%M %B|%m %m|%p %p|%r %I:%M:%S %p|%S %S|%s %S|' +
    '%T %H:%M:%S|%v %V|%W %A|%x %G|%Y %Y|%y %y|%% %%',
  "CASE WHEN p[1] = '%' THEN '%?' ELSE p END",
);

/** Joda's format, of `format_datetime` and `parse_datetime`, as DuckDB's. */
const jodaFormat = translated(
  "''|'[^']*'|y+|Y+|M+|d+|D+|H+|h+|m+|s+|S+|E+|a+|[a-zA-Z]|[^a-zA-Z']+|'",
  'y %Y|yyyy %Y|Y %Y|YYYY %Y|yy %y|M %-m|MM %m|MMM %b|MMMM %B|d %-d|dd %d|D %-j|DDD %j|H %-H|HH %H|h %-I|hh %I|m %-M|mm %M|s %-S|ss %S|' +
    "SSS %g|SSSSSS %f|E %a|EE %a|EEE %a|EEEE %A|a %p|'' '",
  `CASE WHEN p[1] = '''' AND length(p) > 1 THEN replace(p[2:-2], '%', '%%')
    WHEN regexp_full_match(p, '[^a-zA-Z'']+') THEN replace(p, '%', '%%') ELSE '%?' END`,
);

const times = `WHEN 'millisecond' THEN to_milliseconds(n) WHEN 'second' THEN to_seconds(n) WHEN 'minute' THEN to_minutes(n)
  WHEN 'hour' THEN to_hours(n)`;
const days = `WHEN 'day' THEN to_days(CAST(n AS INTEGER)) WHEN 'week' THEN to_weeks(CAST(n AS INTEGER))
  WHEN 'month' THEN to_months(CAST(n AS INTEGER)) WHEN 'quarter' THEN to_quarters(CAST(n AS INTEGER))
  WHEN 'year' THEN to_years(CAST(n AS INTEGER))`;
const noUnit = `ELSE error(concat('date_add does not know the unit ', unit))`;

const urlStart = '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?';

/** The macros, each as `CREATE MACRO` takes it. */
export const trinoMacros: readonly string[] = [
  // aggregates
  'approx_distinct(x) AS approx_count_distinct(x)',
  'approx_percentile(x, q) AS approx_quantile(x, q)',
  'bitwise_and_agg(x) AS bit_and(x)',
  'bitwise_or_agg(x) AS bit_or(x)',
  'every(x) AS bool_and(x)',
  'map_agg(k, v) AS map_from_entries(list(struct_pack(k := k, v := v)) FILTER (k IS NOT NULL))',
  // numbers
  'bitwise_and(a, b) AS a & b',
  'bitwise_or(a, b) AS a | b',
  'bitwise_xor(a, b) AS xor(a, b)',
  'bitwise_not(a) AS ~a',
  'e() AS exp(1.0::DOUBLE)',
  "infinity() AS 'Infinity'::DOUBLE",
  "nan() AS 'NaN'::DOUBLE",
  'is_finite(x) AS isfinite(x)',
  'is_infinite(x) AS isinf(x)',
  'is_nan(x) AS isnan(x)',
  'rand() AS random()',
  'truncate(x) AS trunc(x)',
  // strings
  'codepoint(value) AS unicode(value)',
  'hamming_distance(a, b) AS hamming(a, b)',
  'levenshtein_distance(a, b) AS levenshtein(a, b)',
  'normalize(value) AS nfc_normalize(value)',
  'regexp_count(value, pattern) AS len(regexp_extract_all(value, pattern))',
  'regexp_like(value, pattern) AS regexp_matches(value, pattern)',
  'regexp_split(value, pattern) AS string_split_regex(value, pattern)',
  'to_utf8(value) AS encode(value)',
  'from_utf8(value) AS decode(value)',
  `url_extract_protocol(url) AS nullif(regexp_extract(url, '^([a-zA-Z][a-zA-Z0-9+.-]*):', 1), '')`,
  `url_extract_host(url) AS nullif(regexp_extract(url, '${urlStart}([^/:?#]*)', 1), '')`,
  `url_extract_port(url) AS TRY_CAST(regexp_extract(url, '${urlStart}[^/:?#]*:([0-9]+)', 1) AS BIGINT)`,
  `url_extract_path(url) AS regexp_extract(url, '${urlStart}[^/?#]*([^?#]*)', 1)`,
  `url_extract_query(url) AS nullif(regexp_extract(url, '^[^?#]*[?]([^#]*)', 1), '')`,
  // times
  `date_add(unit VARCHAR, n BIGINT, moment DATE) AS CAST(moment + CASE lower(unit) ${days} ${noUnit} END AS DATE),
    (unit VARCHAR, n BIGINT, moment TIMESTAMP) AS moment + CASE lower(unit) ${times} ${days} ${noUnit} END,
    (unit VARCHAR, n BIGINT, moment TIMESTAMPTZ) AS moment + CASE lower(unit) ${times} ${days} ${noUnit} END,
    (moment, duration) AS moment + duration`,
  `date_format(moment, format) AS strftime(moment, ${mySqlFormat})`,
  `date_parse(value, format) AS strptime(value, ${mySqlFormat})`,
  `format_datetime(moment, format) AS strftime(moment, ${jodaFormat})`,
  `parse_datetime(value, format) AS timezone('UTC', strptime(value, ${jodaFormat}))`,
  'from_iso8601_date(value) AS CAST(value AS DATE)',
  'from_iso8601_timestamp(value) AS CAST(value AS TIMESTAMPTZ)',
  // DuckDB has no time zone in a value, so that this is text.
  "at_timezone(moment TIMESTAMPTZ, zone) AS concat(CAST(timezone(zone, moment) AS VARCHAR), ' ', zone)",
  'from_unixtime(seconds) AS make_timestamp(CAST(CAST(seconds AS DOUBLE) * 1000000 AS BIGINT))',
  'to_unixtime(moment) AS epoch(moment)',
  'day_of_month(moment) AS day(moment)',
  'day_of_week(moment) AS isodow(moment)',
  'dow(moment) AS isodow(moment)',
  'day_of_year(moment) AS dayofyear(moment)',
  'doy(moment) AS dayofyear(moment)',
  'last_day_of_month(moment) AS last_day(moment)',
  'week_of_year(moment) AS weekofyear(moment)',
  'year_of_week(moment) AS isoyear(moment)',
  'yow(moment) AS isoyear(moment)',
  // collections
  'array_join(list, separator) AS array_to_string(list, separator)',
  'array_max(list) AS list_max(list)',
  'array_min(list) AS list_min(list)',
  'array_sum(list) AS list_sum(list)',
  'array_remove(list, item) AS list_filter(list, lambda x: x <> item)',
  'array_union(a, b) AS list_distinct(list_concat(a, b))',
  'arrays_overlap(a, b) AS list_has_any(a, b)',
  // A list and a map differ as JSON, so one of the two counts is 0.
  'cardinality(x) AS CAST(json_array_length(to_json(x)) + len(json_keys(to_json(x))) AS BIGINT)',
  'sequence(first, last) AS generate_series(first, last)',
  `slice(list, start, length) AS CASE WHEN start > 0 THEN list_slice(list, start, start + length - 1)
    WHEN start < 0 THEN list_slice(list, len(list) + start + 1, len(list) + start + length) ELSE error('slice counts from 1') END`,
  'zip(a, b) AS list_zip(a, b)',
  // JSON
  'json_extract_scalar(document, path) AS json_extract_string(document, path)',
  'json_parse(value) AS CAST(value AS JSON)',
  'json_format(document) AS CAST(document AS VARCHAR)',
  'json_size(document, path) AS json_array_length(document, path)',
];
