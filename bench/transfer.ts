import type { Benchmark } from './harness.ts';
export const transferBenchmark: Benchmark = { name: 'transfer', about: '', run: async () => [] };
