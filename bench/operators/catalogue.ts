import type { Benchmark } from './benchmark.ts';
import { joinBenchmarks } from './joins.ts';
import { statelessBenchmarks } from './stateless.ts';
import { windowBenchmarks } from './windows.ts';

export const benchmarks: readonly Benchmark[] = [...statelessBenchmarks, ...windowBenchmarks, ...joinBenchmarks];
