/** Why a row cannot be read, and in which column. */
export class Unreadable {
  readonly column: string;
  readonly reason: string;

  constructor(column: string, reason: string) {
    this.column = column;
    this.reason = reason;
  }
}
