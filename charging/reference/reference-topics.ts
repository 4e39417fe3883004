/** Versions of vehicle models, key: model. */
export const vehiclesTopic = 'vehicles';

/** Outages that do not count, key: exclusion id. */
export const outageExclusionsTopic = 'outage-exclusions';

/** Versions of tariffs, key: tariff id. */
export const tariffsTopic = 'tariffs';
