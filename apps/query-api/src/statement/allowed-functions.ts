/**
 * Functions that a statement may call: pure ones, of DuckDB and of Trino, each known by name. A function that is not named here is refused.
 * So a new release of an engine brings no new way to its files or its settings.
 *
 * Left out on purpose: everything that reads files, the environment, settings, the catalog or secrets; `query` and `query_table`,
 * which run text; `sleep_ms` and `pg_sleep`; `repeat`, `lpad`, `rpad`, `format`, `printf` and `bar`, whose output is as long as a
 * number says and which DuckDB cannot interrupt; `timezone`, which is AT TIME ZONE.
 */
const names = {
  operators: '+ - * / // % ** ^ & | ~ << >> || ~~ !~~ ~~* !~~* ~~~ ~ !~ ^@ -> ->> @> <@ && ! @ !__postfix xor mod',
  aggregates: `any_value approx_count_distinct approx_distinct approx_most_frequent approx_percentile approx_quantile approx_top_k arbitrary arg_max arg_min argmax argmin
    array_agg avg bit_and bit_or bit_xor bitwise_and_agg bitwise_or_agg bool_and bool_or checksum corr count count_if count_star countif covar_pop covar_samp entropy every
    favg first fsum geometric_mean group_concat histogram kahan_sum kurtosis kurtosis_pop last list listagg mad map_agg max max_by mean median min min_by mode multimap_agg
    numeric_histogram product quantile quantile_cont quantile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
    sem skewness stddev stddev_pop stddev_samp string_agg sum sumkahan var_pop var_samp variance`,
  windows: 'cume_dist dense_rank fill first_value lag last_value lead nth_value ntile percent_rank rank rank_dense row_number',
  numbers: `abs acos acosh asin asinh atan atan2 atanh bit_count bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor cbrt ceil ceiling cos cosh cot
    degrees divide e even exp factorial fdiv floor fmod gamma gcd greatest greatest_common_divisor infinity is_finite is_infinite is_nan isfinite isinf isnan lcm least
    least_common_multiple lgamma ln log log10 log2 multiply add subtract nan nextafter pi pow power radians round round_even sign signbit sin sinh sqrt tan tanh trunc
    truncate width_bucket`,
  strings: `ascii bit_length char_length character_length chr codepoint concat concat_ws contains damerau_levenshtein editdist3 ends_with from_base from_base64 from_hex hamming
    hamming_distance hex ilike_escape initcap instr jaccard jaro_similarity jaro_winkler_similarity lcase left length len levenshtein levenshtein_distance like_escape lower ltrim
    md5 mismatches nfc_normalize normalize not_ilike_escape not_like_escape octet_length ord position prefix regexp_count regexp_escape regexp_extract regexp_extract_all
    regexp_full_match regexp_like regexp_matches regexp_replace regexp_split regexp_split_to_array replace reverse right rtrim sha1 sha256 split split_part starts_with str_split
    str_split_regex string_split string_split_regex string_to_array strip_accents strlen strpos substr substring suffix to_base to_base64 to_hex translate trim ucase unhex unicode
    upper url_decode url_encode url_extract_host url_extract_parameter url_extract_path url_extract_port url_extract_protocol url_extract_query crc32 xxhash64 hash to_utf8 from_utf8`,
  times: `at_timezone century date date_add date_diff date_format date_parse date_part date_sub date_trunc
    datediff datepart datesub datetrunc day day_of_month day_of_week day_of_year dayname dayofmonth dayofweek dayofyear days_in_month decade doy dow epoch epoch_ms epoch_ns
    epoch_us era format_datetime from_iso8601_date from_iso8601_timestamp from_unixtime hour isodow isoyear julian last_day
    last_day_of_month make_date make_time make_timestamp make_timestamp_ms microsecond millennium millisecond minute month monthname nanosecond
    parse_datetime quarter second strftime strptime time_bucket to_centuries to_days to_decades to_hours to_iso8601 to_microseconds to_millennia to_milliseconds
    to_minutes to_months to_quarters to_seconds to_timestamp to_unixtime to_weeks to_years try_strptime week week_of_year weekday weekofyear
    with_timezone year year_of_week yearweek yow`,
  collections: `aggregate all_match any_match apply array_append array_cat array_concat array_contains array_distinct array_except array_extract array_filter array_has array_has_all
    array_has_any array_indexof array_intersect array_join array_length array_max array_min array_position array_prepend array_reduce array_remove array_reverse array_reverse_sort
    array_slice array_sort array_sum array_to_string array_transform array_union array_unique array_value arrays_overlap cardinality element_at filter flatten generate_series
    list_aggr list_aggregate list_any_value list_append list_apply list_avg list_concat list_contains list_count list_distinct list_element list_extract list_filter list_first
    list_has list_has_all list_has_any list_indexof list_intersect list_last list_max list_median list_min list_pack list_position list_prepend list_reduce list_reverse
    list_reverse_sort list_slice list_sort list_sum list_transform list_unique list_value list_where list_zip map map_concat map_contains map_entries map_extract map_extract_value
    map_filter map_from_entries map_keys map_values none_match range reduce row sequence slice struct_concat struct_extract struct_extract_at struct_insert struct_pack
    transform unpivot_list zip zip_with`,
  json: `from_json is_json_scalar json json_array json_array_contains json_array_length json_contains json_exists json_extract json_extract_path json_extract_path_text
    json_extract_scalar json_extract_string json_format json_keys json_object json_parse json_query json_size json_structure json_type json_valid json_value to_json`,
  rest: 'coalesce constant_or_null if ifnull nullif try typeof unnest pg_typeof alias',
  // Another answer at each call, so that no result of theirs is kept for a later query.
  volatile: `age current_date current_localtime current_localtimestamp current_timestamp gen_random_uuid get_current_time get_current_timestamp localtime localtimestamp
    now rand random shuffle today transaction_timestamp uuid`,
} as const;

/** Scalar, aggregate and window functions and operators, in lower case. */
export const allowedFunctions: ReadonlySet<string> = new Set(Object.values(names).flatMap((list) => list.split(/\s+/)));

/** The allowed functions that give another answer at each call. */
export const volatileFunctions: ReadonlySet<string> = new Set(names.volatile.split(/\s+/));

/** Functions that FROM may name; they read nothing but their arguments. */
export const allowedTableFunctions: ReadonlySet<string> = new Set(['unnest', 'generate_series', 'range']);

/** Reasons why a function is refused, where its name does not explain it. */
export const refusalReasons: ReadonlyMap<string, string> = new Map([
  ['timezone', "AT TIME ZONE gives another value on each engine; write at_timezone(TIMESTAMP '… UTC', zone)"],
]);
