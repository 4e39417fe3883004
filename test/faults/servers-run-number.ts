/** A run is chosen by the minute; in fault runs it must be the same in every run, since it stands in the rows. */
export const fixedRun = 1;
