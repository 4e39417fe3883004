import type { Schedule } from '../../operators/operator.ts';

/** What runs between records: punctuators and the steps that want to know of idle sources. */
export class TaskTimers {
  readonly #schedules: { readonly step: string; readonly schedule: Schedule; readonly run: (timeMs: number) => void }[] = [];
  readonly #idle: { readonly step: string; readonly run: (timeMs: number) => void }[] = [];

  schedule(step: string, schedule: Schedule, run: (timeMs: number) => void): void {
    this.#schedules.push({ step, schedule, run });
  }

  onIdle(step: string, run: (timeMs: number) => void): void {
    this.#idle.push({ step, run });
  }
}
