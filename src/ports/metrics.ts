/** One family of figures, as a program that draws curves takes them. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter';
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

export interface MetricsFormat {
  readonly contentType: string;
  render(metrics: readonly Metric[]): Promise<string>;
}
