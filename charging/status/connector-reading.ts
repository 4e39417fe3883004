import type { ConnectorInterval, ConnectorStatus } from './connector-interval.ts';
import { endedKind, lostKind, nowhere, restoredKind, stationStatusKind, statusKind } from './connector-point.ts';
import type { ConnectorPlace, ConnectorPoint } from './connector-point.ts';

/** A span of one status, as points make it. */
export interface StatusSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly status: ConnectorStatus;
  readonly online: boolean;
  readonly errorCode: string | null;
  readonly source: ConnectorInterval['source'];
  readonly transactionId: string | null;
  readonly place: ConnectorPlace;
}

/** A live message this long after the loss of the connection says that it is there again; sooner, clocks may disagree. */
export const heardAgainMs = 60_000;

/**
 * What is believed of a connector after points were taken in order. Points of one moment are applied one after the other, then
 * `settle` says what they mean together, so that no span is without length.
 *
 * The rules are in docs/connector-status.md. Changed in place, by its timeline only.
 */
export class ConnectorReading {
  /** What the connector itself told last; null before anything was told. */
  told: ConnectorStatus | null = null;
  toldCode: string | null = null;
  /** A status said of this stay that the connector is occupied: a status must end it. */
  confirmed = false;
  /** The transaction under way; '' for one without id. */
  open: string | null = null;
  openedMs = -1;
  openEdition = 0;
  /** When the connection was lost; -1 while it is there. */
  lostMs = -1;
  /** Something was told afterwards of the time without connection. */
  toldSinceLost = false;
  /** Faulted or Unavailable while the station as a whole is. */
  stationStatus: ConnectorStatus | null = null;
  stationCode: string | null = null;

  /** When the first span began; -1 before. */
  firstMs = -1;
  /** The span that holds; `status` is null before the first. */
  fromMs = -1;
  status: ConnectorStatus | null = null;
  online = true;
  errorCode: string | null = null;
  source: ConnectorInterval['source'] = 'status';
  transactionId: string | null = null;
  place: ConnectorPlace = nowhere;

  copy(): ConnectorReading {
    return new ConnectorReading().become(this);
  }

  /** Makes it one like another; field by field, since this is done for each change of a status. */
  become(other: Readonly<ConnectorReading>): this {
    this.told = other.told;
    this.toldCode = other.toldCode;
    this.confirmed = other.confirmed;
    this.open = other.open;
    this.openedMs = other.openedMs;
    this.openEdition = other.openEdition;
    this.lostMs = other.lostMs;
    this.toldSinceLost = other.toldSinceLost;
    this.stationStatus = other.stationStatus;
    this.stationCode = other.stationCode;
    this.firstMs = other.firstMs;
    this.fromMs = other.fromMs;
    this.status = other.status;
    this.online = other.online;
    this.errorCode = other.errorCode;
    this.source = other.source;
    this.transactionId = other.transactionId;
    this.place = other.place;
    return this;
  }

  apply(point: ConnectorPoint): void {
    switch (point.kind) {
      case restoredKind:
        this.lostMs = -1;
        return;
      case lostKind:
        if (this.lostMs >= 0) return;
        this.lostMs = point.timeMs;
        this.toldSinceLost = false;
        return;
      case stationStatusKind:
        this.stationStatus = point.status === 'Faulted' || point.status === 'Unavailable' ? point.status : null;
        this.stationCode = this.stationStatus === null ? null : point.errorCode;
        return;
      case statusKind:
        this.#tell(point.status, point.errorCode);
        break;
      case endedKind:
        this.#end(point);
        break;
      default:
        this.#start(point);
    }
    if (this.lostMs < 0) return;
    if (!point.live) this.toldSinceLost = true;
    else if (point.timeMs >= this.lostMs + heardAgainMs) this.lostMs = -1;
  }

  /** What the points applied so far mean from the last one's time on: nothing new, more of the same span, or another span. */
  settle(last: ConnectorPoint): 'same' | 'changed' | 'begun' {
    if (this.told === null) return 'same';
    const lost = this.lostMs >= 0;
    const silent = lost && !this.toldSinceLost;
    const masked = this.stationStatus !== null;
    const status = silent ? 'Unknown' : this.stationStatus ?? this.told;
    const errorCode = silent ? null : masked ? this.stationCode : this.toldCode;
    const isOther = status !== this.status || lost === this.online || errorCode !== this.errorCode
      || (this.open !== null && this.transactionId !== null && this.open !== this.transactionId);
    if (!isOther) return this.#learn(last);
    if (this.status === null) this.firstMs = last.timeMs;
    this.fromMs = last.timeMs;
    this.status = status;
    this.online = !lost;
    this.errorCode = errorCode;
    this.source = sourceOf(last.kind);
    this.transactionId = this.open;
    this.place = last.place;
    return 'begun';
  }

  /** The span that holds, as if it ended at a time; only after the first. */
  span(toMs: number): StatusSpan {
    const { fromMs, online, errorCode, source, transactionId, place } = this;
    return { fromMs, toMs, status: this.status ?? 'Unknown', online, errorCode, source, transactionId, place };
  }

  #tell(status: ConnectorStatus | null, errorCode: string | null): void {
    this.told = status;
    this.toldCode = errorCode;
    this.confirmed = status === 'Occupied';
    // The vehicle is gone, whatever becomes of the transaction.
    if (status === 'Available' || status === 'Reserved') this.open = null;
  }

  #start(point: ConnectorPoint): void {
    // Another transaction on an occupied connector is another stay: the status between was lost.
    const isNewStay = this.told !== 'Occupied' || (this.transactionId !== null && this.transactionId !== point.transactionId);
    if (isNewStay) this.confirmed = false;
    if (this.told !== 'Occupied') this.toldCode = null;
    this.told = 'Occupied';
    this.open = point.transactionId;
    this.openedMs = point.timeMs;
    this.openEdition = point.edition;
  }

  #end(point: ConnectorPoint): void {
    if (this.open !== null && this.open !== point.transactionId && point.transactionId !== '' && this.open !== '') return;
    this.open = null;
    if (this.told !== null && (this.told !== 'Occupied' || (this.confirmed && !point.unplugged))) return;
    this.told = 'Available';
    this.toldCode = null;
    this.confirmed = false;
  }

  #learn(last: ConnectorPoint): 'same' | 'changed' {
    let learnt: 'same' | 'changed' = 'same';
    if (this.transactionId === null && this.open !== null) {
      this.transactionId = this.open;
      learnt = 'changed';
    }
    if (isNowhere(this.place) && !isNowhere(last.place)) {
      this.place = last.place;
      learnt = 'changed';
    }
    return learnt;
  }
}

function isNowhere(place: ConnectorPlace): boolean {
  return place.siteId === null && place.city === null && place.operator === null;
}

function sourceOf(kind: number): ConnectorInterval['source'] {
  if (kind === lostKind || kind === restoredKind) return 'connection';
  return kind === statusKind || kind === stationStatusKind ? 'status' : 'transaction';
}
