/** Share of a container's memory that is ours: the rest is for what grows between two looks, and for the cache of files it is charged with. */
const containerShare = 0.85;
/** Of a machine that others use as well. */
const machineShare = 0.75;
const bytesPerMb = 1_048_576;

export interface MemorySources {
  readonly configuredMb: number | null;
  /** What the control group (version 2 or 1) allows, as `process.constrainedMemory` reads it; 0 or more than the machine has: nothing. */
  readonly constrainedBytes: number;
  readonly machineBytes: number;
}

/** How much memory this process may take, and who says so. */
export function memoryLimitOf({ configuredMb, constrainedBytes, machineBytes }: MemorySources): { readonly bytes: number; readonly from: string } {
  if (configuredMb !== null) return { bytes: configuredMb * bytesPerMb, from: 'memory.limitMb' };
  if (constrainedBytes > 0 && constrainedBytes < machineBytes) {
    return { bytes: Math.floor(constrainedBytes * containerShare), from: `${containerShare * 100} % of what the container may use` };
  }
  return { bytes: Math.floor(machineBytes * machineShare), from: `${machineShare * 100} % of the machine` };
}
