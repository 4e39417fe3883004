/** Names of everything a task has in Redis; all under one hash tag, so that a cluster keeps them on one node. */
export class RedisKeys {
  readonly #prefix: string;
  readonly #application: string;
  readonly #run: string;

  constructor(prefix: string, application: string, run: string) {
    this.#prefix = prefix;
    this.#application = encodeURIComponent(application);
    this.#run = encodeURIComponent(run);
  }

  /** Set of the names of all tasks ever claimed. It has no hash tag of a task, and no law rests on it. */
  get tasks(): string {
    return `${this.#prefix}{${this.#application}}:${this.#run}:tasks`;
  }

  /** Hash: epoch, owner, sequence, commit (id of the last), redo (chunks to apply), and a field `s:<store>` a store. */
  head(task: string): string {
    return `${this.#of(task)}:head`;
  }

  /** Hash: a staged commit's chunks. */
  staged(task: string): string {
    return `${this.#of(task)}:staged`;
  }

  /** Hash: key bytes to value bytes. */
  cells(task: string, store: string): string {
    return `${this.#of(task)}:cells:${encodeURIComponent(store)}`;
  }

  /** Hash: cells of a store as they were at one commit, for one reader, for a while. */
  copy(task: string, id: string, store: string): string {
    return `${this.#of(task)}:copy:${id}:${encodeURIComponent(store)}`;
  }

  /** Patterns that all keys of the application match, of any run, and no others. */
  get patterns(): readonly string[] {
    const start = `${this.#prefix}{${this.#application}`.replaceAll(/[*?[\]\\^-]/g, '\\$&');
    return [`${start}}:*`, `${start}:*`];
  }

  #of(task: string): string {
    return `${this.#prefix}{${this.#application}:${encodeURIComponent(task)}}:${this.#run}`;
  }
}
