import {
  AggregatorRegistry,
  Counter,
  type CounterConfiguration,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  Registry,
  collectDefaultMetrics,
} from 'prom-client';

/**
 * The metrics of one process. Makers return the metric of that name if there is one, so that a class may ask for its metrics
 * wherever it is made. Names start with `millrace_`, end with their unit, counters with `_total`; labels have few values.
 */
export class Metrics {
  /** The registry of prom-client, for other libraries that register there. */
  readonly registry = new Registry();

  readonly #service: string;
  readonly #parts: Metrics[] = [];

  /**
   * @param service Value of the label `service` on every series.
   * @param labels Further labels on every series: a part of the process. Default: none, and the metrics of the process itself.
   */
  constructor(service: string, labels?: Readonly<Record<string, string>>) {
    this.#service = service;
    this.registry.setDefaultLabels({ service, ...labels });
    if (labels === undefined) collectDefaultMetrics({ register: this.registry });
  }

  /** Makes metrics of the same names for a part of the process, distinguished by its labels. {@link text} includes them. */
  part(labels: Readonly<Record<string, string>>): Metrics {
    const part = new Metrics(this.#service, labels);
    this.#parts.push(part);
    return part;
  }

  /** Makes a value that only rises. @throws TypeError when the name breaks the naming rule. */
  counter<L extends string = string>(settings: Omit<CounterConfiguration<L>, 'registers'>): Counter<L> {
    if (!settings.name.endsWith('_total')) throw new TypeError(`The counter ${settings.name} must end with _total.`);
    return (this.existing(settings.name) as Counter<L> | undefined) ?? new Counter({ ...settings, registers: [this.registry] });
  }

  /** Makes a value that rises and falls. @throws TypeError when the name breaks the naming rule. */
  gauge<L extends string = string>(settings: Omit<GaugeConfiguration<L>, 'registers'>): Gauge<L> {
    return (this.existing(settings.name) as Gauge<L> | undefined) ?? new Gauge({ ...settings, registers: [this.registry] });
  }

  /**
   * Adds a gauge that is read at each scrape.
   * @param read returns the value. Undefined: the scrape has no series of the gauge
   * @throws TypeError when the name breaks the naming rule
   */
  observe(name: string, help: string, read: () => number | undefined): void {
    const gauge = this.gauge({
      name,
      help,
      collect() {
        const value = read();
        // A gauge starts at 0, which would be a value.
        if (value === undefined) gauge.remove();
        else gauge.set(value);
      },
    });
  }

  /** Makes a distribution of values; durations in seconds. @throws TypeError when the name breaks the naming rule. */
  histogram<L extends string = string>(settings: Omit<HistogramConfiguration<L>, 'registers'>): Histogram<L> {
    return (this.existing(settings.name) as Histogram<L> | undefined) ?? new Histogram({ ...settings, registers: [this.registry] });
  }

  /** Writes all metrics in the Prometheus text format. */
  async text(): Promise<string> {
    if (this.#parts.length === 0) return await this.registry.metrics();
    // A name may be in several registries, and the text must have its heading once.
    const all = await Promise.all([this, ...this.#parts].map(async ({ registry }) => await registry.getMetricsAsJSON()));
    return await AggregatorRegistry.aggregate(all).metrics();
  }

  /** Media type of {@link text}. */
  get contentType(): string {
    return this.registry.contentType;
  }

  private existing(name: string): unknown {
    if (!name.startsWith('millrace_')) throw new TypeError(`The metric ${name} must start with millrace_.`);
    return this.registry.getSingleMetric(name);
  }
}
