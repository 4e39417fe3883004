/** Kinds of entries of a district's agenda. */
export const happenings = {
  /** Of a site: a vehicle arrives. */
  arrival: 0,
  /** Of a connector, by its stamp. */
  start: 1,
  sample: 2,
  leave: 3,
  /** Of a connector, by its look ahead. */
  full: 4,
  /** Of a site: a vehicle (the stamp) that failed to start tries again. */
  retry: 5,
  /** Of a station. */
  heartbeat: 6,
  offline: 7,
  online: 8,
  told: 9,
  changed: 10,
  /** Of a connector. */
  fault: 11,
  repair: 12,
  /** Of a site. */
  outage: 13,
  restored: 14,
  /** A message (the subject) arrives late. */
  message: 15,
} as const;
